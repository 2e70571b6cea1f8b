/*
 * The whole firmware of the emulated machine: enters 32-bit mode, reads the parts of the disk that image.py wrote (boot parameters, kernel,
 * initial file system) into memory, and jumps to the kernel by Linux' 32-bit boot protocol. A real BIOS takes minutes in the emulator.
 */
.code16
start:
  cli
  inb $0x92,%al
  orb $2,%al
  outb %al,$0x92
  lgdtl %cs:gdtr
  movl %cr0,%eax
  orb $1,%al
  movl %eax,%cr0
  ljmpl $0x10,$start32+0xf0000
.code32
start32:
  movw $0x18,%ax
  movw %ax,%ds
  movw %ax,%es
  movw %ax,%ss
  movl $0x80000,%esp
  cld
  movl $0,%ebx
  movl $0x90000,%edi
  movl $1,%esi
  call load
  /* the first sector says how many sectors each part has */
  movl $0x90000,%ebp
  subl $24,%esp
  movl 0(%ebp),%eax
  movl %eax,0(%esp)
  movl 4(%ebp),%eax
  movl %eax,4(%esp)
  movl 8(%ebp),%eax
  movl %eax,8(%esp)
  movl $0x90000,%edi
  movl 0(%esp),%esi
  call load
  movl $0x100000,%edi
  movl 4(%esp),%esi
  call load
  movl $0x8000000,%edi
  movl 8(%esp),%esi
  call load
  movl $0x90000,%esi
  xorl %ebp,%ebp
  xorl %edi,%edi
  xorl %ebx,%ebx
  movl $0x100000,%eax
  jmp *%eax
load: /* ebx: first sector, edi: where to, esi: sectors */
  movw $0x1f6,%dx
  movl %ebx,%eax
  shrl $24,%eax
  orb $0xe0,%al
  outb %al,%dx
  movl %esi,%ecx
  cmpl $256,%ecx
  jbe 1f
  movl $256,%ecx
1: movw $0x1f2,%dx
  movb %cl,%al
  outb %al,%dx
  incw %dx
  movl %ebx,%eax
  outb %al,%dx
  incw %dx
  shrl $8,%eax
  outb %al,%dx
  incw %dx
  shrl $8,%eax
  outb %al,%dx
  movw $0x1f7,%dx
  movb $0x20,%al
  outb %al,%dx
  addl %ecx,%ebx
  subl %ecx,%esi
2: pushl %ecx
  movw $0x1f7,%dx
3: inb %dx,%al
  testb $8,%al
  jz 3b
  movw $0x1f0,%dx
  movl $256,%ecx
  rep insw
  popl %ecx
  decl %ecx
  jnz 2b
  testl %esi,%esi
  jnz load
  ret
.p2align 3
gdt: .quad 0,0
  .quad 0x00cf9a000000ffff
  .quad 0x00cf92000000ffff
gdtr: .word 31
  .long gdt+0xf0000
  .org 0xfff0
.code16
  ljmpw $0xf000,$0
  .org 0x10000
