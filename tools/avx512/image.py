#!/usr/bin/env python3
"""Writes a disk for rom.S: boot parameters, a Linux kernel and a file system in memory made of a folder. Prints the disk's cylinders.

usage: image.py KERNEL FOLDER DISK MEGABYTES COMMAND_LINE
"""
import os
import struct
import sys

SECTOR = 512
INITRD_ADDRESS, KERNEL_ADDRESS, COMMAND_LINE_ADDRESS, LOW_MEMORY = 0x8000000, 0x100000, 0x92000, 0x90000


def archive(folder):
    """The folder as a cpio archive of the kind that Linux unpacks ("newc"), with a console."""
    entries = [("dev", 0o40755, b"", (0, 0)), ("dev/console", 0o20600, b"", (5, 1))]
    for path, folders, files in os.walk(folder):
        for name in folders + files:
            full = os.path.join(path, name)
            inside = os.path.relpath(full, folder)
            if os.path.islink(full):
                entries.append((inside, 0o120777, os.readlink(full).encode(), (0, 0)))
            elif os.path.isdir(full):
                entries.append((inside, 0o40755, b"", (0, 0)))
            else:
                with open(full, "rb") as file:
                    entries.append((inside, 0o100755, file.read(), (0, 0)))
    entries.append(("TRAILER!!!", 0, b"", (0, 0)))
    parts = []
    for number, (name, mode, data, device) in enumerate(entries, 1):
        name = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
        parts += [head, b"\0" * (-len(head) % 4), data, b"\0" * (-len(data) % 4)]
    return b"".join(parts)


def boot_parameters(kernel, initrd_length, memory, command_line):
    """Linux' "zero page", and the command line at COMMAND_LINE_ADDRESS."""
    page = bytearray(4096)
    end = 0x202 + kernel[0x201]
    page[0x1F1:end] = kernel[0x1F1:end]
    page[0x210] = 0xFF  # a loader without a number
    page[0x211] |= 1  # the kernel is loaded high
    struct.pack_into("<H", page, 0x1FA, 0xFFFF)
    struct.pack_into("<I", page, 0x214, KERNEL_ADDRESS)
    struct.pack_into("<II", page, 0x218, INITRD_ADDRESS, initrd_length)
    struct.pack_into("<I", page, 0x228, COMMAND_LINE_ADDRESS)
    ranges = [(0, LOW_MEMORY), (KERNEL_ADDRESS, memory - KERNEL_ADDRESS)]
    page[0x1E8] = len(ranges)
    for i, (start, length) in enumerate(ranges):
        struct.pack_into("<QQI", page, 0x2D0 + 20 * i, start, length, 1)
    return bytes(page).ljust(COMMAND_LINE_ADDRESS - LOW_MEMORY, b"\0") + command_line.encode() + b"\0"


def padded(data):
    return data + b"\0" * (-len(data) % SECTOR)


def main():
    kernel_path, folder, disk, megabytes, command_line = sys.argv[1:]
    with open(kernel_path, "rb") as file:
        kernel = file.read()
    initrd = archive(folder)
    setup_sectors = kernel[0x1F1] or 4
    parts = [padded(boot_parameters(kernel, len(initrd), int(megabytes) << 20, command_line)), padded(kernel[(setup_sectors + 1) * SECTOR:]), padded(initrd)]
    image = padded(struct.pack("<3I", *(len(part) // SECTOR for part in parts))) + b"".join(parts)
    cylinder = SECTOR * 16 * 63
    cylinders = -(-len(image) // cylinder)
    with open(disk, "wb") as file:
        file.write(image.ljust(cylinders * cylinder, b"\0"))
    print(cylinders)


main()
