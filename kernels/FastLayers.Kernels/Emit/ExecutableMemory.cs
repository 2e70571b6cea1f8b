using System.Runtime.InteropServices;

namespace FastLayers.Kernels.Emit;

/// <summary>
/// Pages of machine code. They are mapped writable, filled, and then made executable and read-only: never both at once. Code is kept for the
/// life of the process, since any thread may be inside.
/// </summary>
internal static unsafe partial class ExecutableMemory
{
    /// <summary>Copies code into pages of its own.</summary>
    /// <returns>Where it lies, 4,096-byte aligned; 0 if the system refuses such pages.</returns>
    public static nint Place(ReadOnlySpan<byte> code) => Place(code, OperatingSystem.IsWindows() ? new Windows() : new Posix());

    /// <summary>The same with a given system.</summary>
    internal static nint Place(ReadOnlySpan<byte> code, IPages pages)
    {
        nuint length = (nuint)code.Length;
        var memory = pages.Map(length);
        if (memory == null) return 0;
        code.CopyTo(new Span<byte>(memory, code.Length));
        if (pages.MakeExecutable(memory, length)) return (nint)memory;
        pages.Unmap(memory, length);
        return 0;
    }

    /// <summary>What the operating system does with pages.</summary>
    internal interface IPages
    {
        /// <summary>Maps pages that can be written, or returns null.</summary>
        byte* Map(nuint length);

        /// <summary>Takes the right to write away and gives the right to execute.</summary>
        bool MakeExecutable(byte* memory, nuint length);

        /// <summary>Gives pages back.</summary>
        void Unmap(byte* memory, nuint length);
    }

    /// <summary>Linux, macOS and other Unix systems.</summary>
    internal sealed partial class Posix : IPages
    {
        private const int Read = 1;
        private const int Write = 2;
        private const int Execute = 4;
        private const int Private = 2;

        private static int Anonymous => OperatingSystem.IsLinux() || OperatingSystem.IsAndroid() ? 0x20 : 0x1000;

        public byte* Map(nuint length)
        {
            nint memory = Mmap(0, length, Read | Write, Private | Anonymous, -1, 0);
            return memory == -1 ? null : (byte*)memory;
        }

        public bool MakeExecutable(byte* memory, nuint length) => Mprotect((nint)memory, length, Read | Execute) == 0;

        public void Unmap(byte* memory, nuint length) => _ = Munmap((nint)memory, length);

        [LibraryImport("libc", EntryPoint = "mmap")]
        private static partial nint Mmap(nint address, nuint length, int protection, int flags, int file, nint offset);

        [LibraryImport("libc", EntryPoint = "mprotect")]
        private static partial int Mprotect(nint address, nuint length, int protection);

        [LibraryImport("libc", EntryPoint = "munmap")]
        private static partial int Munmap(nint address, nuint length);
    }

    /// <summary>Windows.</summary>
    internal sealed partial class Windows : IPages
    {
        private const uint CommitAndReserve = 0x3000;
        private const uint Release = 0x8000;
        private const uint ReadWrite = 0x04;
        private const uint ExecuteRead = 0x20;

        public byte* Map(nuint length) => (byte*)VirtualAlloc(0, length, CommitAndReserve, ReadWrite);

        public bool MakeExecutable(byte* memory, nuint length) => VirtualProtect((nint)memory, length, ExecuteRead, out _) != 0;

        public void Unmap(byte* memory, nuint length) => _ = VirtualFree((nint)memory, 0, Release);

        [LibraryImport("kernel32")]
        private static partial nint VirtualAlloc(nint address, nuint length, uint type, uint protection);

        [LibraryImport("kernel32")]
        private static partial int VirtualProtect(nint address, nuint length, uint protection, out uint before);

        [LibraryImport("kernel32")]
        private static partial int VirtualFree(nint address, nuint length, uint type);
    }
}
