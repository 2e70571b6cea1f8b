using Iced.Intel;

namespace FastLayers.Kernels.Emit;

/// <summary>
/// An assembler whose vectors are 256 or 512 bit wide, so that a generator is written once. Vectors are numbers of registers. Constants lie in
/// front of the code and are read relative to it, so that the code runs wherever it is put.
/// </summary>
internal sealed class VectorAssembler(bool isWide)
{
    private const int ConstantBytes = 64;
    private const int MostConstants = 16;

    private readonly List<byte[]> _constants = [];

    /// <summary>General registers, labels and jumps.</summary>
    public Assembler General { get; } = new(64);

    /// <summary>Bytes of a vector.</summary>
    public int VectorBytes { get; } = isWide ? 64 : 32;

    /// <summary>Memory at a register, and perhaps another, plus bytes.</summary>
    public static MemoryOperand At(AssemblerRegister64 address, int bytes = 0) => new(address.Value, Register.None, 1, bytes, 1);

    /// <inheritdoc cref="At(AssemblerRegister64, int)"/>
    public static MemoryOperand At(AssemblerRegister64 address, AssemblerRegister64 index, int bytes) => new(address.Value, index.Value, 1, bytes, 1);

    /// <summary>A vector of equal or repeated bytes.</summary>
    public MemoryOperand Constant(params ReadOnlySpan<byte> pattern)
    {
        byte[] bytes = new byte[ConstantBytes];
        for (int i = 0; i < bytes.Length; i++) bytes[i] = pattern[i % pattern.Length];
        int index = _constants.FindIndex(constant => constant.AsSpan().SequenceEqual(bytes));
        if (index < 0)
        {
            index = _constants.Count;
            if (index == MostConstants) throw new InvalidOperationException($"More than {MostConstants} constants.");
            _constants.Add(bytes);
        }

        return new(Register.RIP, Register.None, 1, ConstantBytes * index, 8);
    }

    /// <summary>A vector of equal 16-bit numbers.</summary>
    public MemoryOperand Constant(short value) => Constant((byte)value, (byte)(value >> 8));

    public void Load(int target, MemoryOperand source) => Two(Code.VEX_Vmovdqu_ymm_ymmm256, Code.EVEX_Vmovdqu32_zmm_k1z_zmmm512, target, source);

    public void Store(MemoryOperand target, int source) =>
        Add(Instruction.Create(isWide ? Code.EVEX_Vmovups_zmmm512_k1z_zmm : Code.VEX_Vmovups_ymmm256_ymm, target, Vector(source)));

    /// <summary>The lower 256 bit from one place and, if there are more, the upper from another.</summary>
    public void LoadHalves(int target, MemoryOperand lower, MemoryOperand upper)
    {
        if (!isWide)
        {
            Load(target, lower);
            return;
        }

        Add(Instruction.Create(Code.EVEX_Vmovdqu32_ymm_k1z_ymmm256, Register.YMM0 + target, lower));
        Add(Instruction.Create(Code.EVEX_Vinserti64x4_zmm_k1z_zmm_ymmm256_imm8, Vector(target), Vector(target), upper, 1));
    }

    /// <summary>128 bit, and the next 128 of a wide vector from another place, in the lower half; the register is one of the first 16.</summary>
    public void LoadQuarters(int target, MemoryOperand lower, MemoryOperand upper)
    {
        Add(Instruction.Create(Code.VEX_Vmovdqu_xmm_xmmm128, Register.XMM0 + target, lower));
        if (isWide) Add(Instruction.Create(Code.VEX_Vinserti128_ymm_ymm_xmmm128_imm8, Register.YMM0 + target, Register.YMM0 + target, upper, 1));
    }

    /// <summary>64 bit, and the next 64 for a wide vector from another place, in the lowest quarter; the register is one of the first 16.</summary>
    public void LoadEighths(int target, MemoryOperand lower, MemoryOperand upper)
    {
        Add(Instruction.Create(Code.VEX_Vmovq_xmm_xmmm64, Register.XMM0 + target, lower));
        if (isWide) Add(Instruction.Create(Code.VEX_Vmovhps_xmm_xmm_m64, Register.XMM0 + target, Register.XMM0 + target, upper));
    }

    /// <summary>Halves in the lower half of a vector as floats.</summary>
    public void HalvesToFloats(int target, int source) => Add(isWide
        ? Instruction.Create(Code.EVEX_Vcvtph2ps_zmm_k1z_ymmm256_sae, Vector(target), Register.YMM0 + source)
        : Instruction.Create(Code.VEX_Vcvtph2ps_ymm_xmmm128, Vector(target), Register.XMM0 + source));

    /// <summary>16-bit numbers without a sign in the lower half of a vector as 32-bit integers.</summary>
    public void WidenWords(int target, int source) => Add(isWide
        ? Instruction.Create(Code.EVEX_Vpmovzxwd_zmm_k1z_ymmm256, Vector(target), Register.YMM0 + source)
        : Instruction.Create(Code.VEX_Vpmovzxwd_ymm_xmmm128, Vector(target), Register.XMM0 + source));

    /// <summary>Signed bytes in the lowest quarter of a vector as 32-bit integers.</summary>
    public void WidenBytes(int target, int source) => Add(isWide
        ? Instruction.Create(Code.EVEX_Vpmovsxbd_zmm_k1z_xmmm128, Vector(target), Register.XMM0 + source)
        : Instruction.Create(Code.VEX_Vpmovsxbd_ymm_xmmm64, Vector(target), Register.XMM0 + source));

    public void IntegersToFloats(int target, int source) =>
        Add(Instruction.Create(isWide ? Code.EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er : Code.VEX_Vcvtdq2ps_ymm_ymmm256, Vector(target), Vector(source)));

    public void ShiftWordsRight(int target, int source, int bits) =>
        Add(Instruction.Create(isWide ? Code.EVEX_Vpsrlw_zmm_k1z_zmmm512_imm8 : Code.VEX_Vpsrlw_ymm_ymm_imm8, Vector(target), Vector(source), bits));

    public void ShiftWordsLeft(int target, int source, int bits) =>
        Add(Instruction.Create(isWide ? Code.EVEX_Vpsllw_zmm_k1z_zmmm512_imm8 : Code.VEX_Vpsllw_ymm_ymm_imm8, Vector(target), Vector(source), bits));

    public void ShiftIntegersLeft(int target, int source, int bits) =>
        Add(Instruction.Create(isWide ? Code.EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8 : Code.VEX_Vpslld_ymm_ymm_imm8, Vector(target), Vector(source), bits));

    public void And(int target, int a, MemoryOperand b) => Three(Code.VEX_Vpand_ymm_ymm_ymmm256, Code.EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32, target, a, b);

    public void Or(int target, int a, int b) => Three(Code.VEX_Vpor_ymm_ymm_ymmm256, Code.EVEX_Vpord_zmm_k1z_zmm_zmmm512b32, target, a, b);

    public void Xor(int target, int a, int b) => Three(Code.VEX_Vpxor_ymm_ymm_ymmm256, Code.EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32, target, a, b);

    public void Xor(int target, int a, MemoryOperand b) => Three(Code.VEX_Vpxor_ymm_ymm_ymmm256, Code.EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32, target, a, b);

    public void Shuffle(int target, int table, int indices) => Three(Code.VEX_Vpshufb_ymm_ymm_ymmm256, Code.EVEX_Vpshufb_zmm_k1z_zmm_zmmm512, target, table, indices);

    public void BroadcastInteger(int target, MemoryOperand source) => Two(Code.VEX_Vpbroadcastd_ymm_xmmm32, Code.EVEX_Vpbroadcastd_zmm_k1z_xmmm32, target, source);

    public void BroadcastFloat(int target, MemoryOperand source) => Two(Code.VEX_Vbroadcastss_ymm_m32, Code.EVEX_Vbroadcastss_zmm_k1z_xmmm32, target, source);

    public void AddWords(int target, int a, int b) => Three(Code.VEX_Vpaddw_ymm_ymm_ymmm256, Code.EVEX_Vpaddw_zmm_k1z_zmm_zmmm512, target, a, b);

    public void AddIntegers(int target, int a, int b) => Three(Code.VEX_Vpaddd_ymm_ymm_ymmm256, Code.EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32, target, a, b);

    /// <summary>Sums of two products of 16-bit numbers.</summary>
    public void MultiplyAddWords(int target, int a, MemoryOperand b) => Three(Code.VEX_Vpmaddwd_ymm_ymm_ymmm256, Code.EVEX_Vpmaddwd_zmm_k1z_zmm_zmmm512, target, a, b);

    /// <summary>Sums of two products of a byte without and one with a sign, in 16 bit. 256 bit only.</summary>
    public void MultiplyAddBytes(int target, int unsigned, int signed) => Add(Instruction.Create(Code.VEX_Vpmaddubsw_ymm_ymm_ymmm256, Vector(target), Vector(unsigned), Vector(signed)));

    /// <summary>256 bit only.</summary>
    public void AbsoluteBytes(int target, int source) => Add(Instruction.Create(Code.VEX_Vpabsb_ymm_ymmm256, Vector(target), Vector(source)));

    /// <summary>Bytes with the signs of others applied. 256 bit only.</summary>
    public void ApplySigns(int target, int bytes, int signs) => Add(Instruction.Create(Code.VEX_Vpsignb_ymm_ymm_ymmm256, Vector(target), Vector(bytes), Vector(signs)));

    /// <summary>Adds the sums of four products of a byte without and one with a sign to 32-bit integers.</summary>
    public void AddByteProducts(int target, int unsigned, int signed) => Three(Code.VEX_Vpdpbusd_ymm_ymm_ymmm256, Code.EVEX_Vpdpbusd_zmm_k1z_zmm_zmmm512b32, target, unsigned, signed);

    public void Multiply(int target, int a, int b) => Three(Code.VEX_Vmulps_ymm_ymm_ymmm256, Code.EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er, target, a, b);

    public void Multiply(int target, int a, MemoryOperand b) => Three(Code.VEX_Vmulps_ymm_ymm_ymmm256, Code.EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er, target, a, b);

    /// <summary>target = target · a + b.</summary>
    public void MultiplyAdd(int target, int a, MemoryOperand b) => Three(Code.VEX_Vfmadd213ps_ymm_ymm_ymmm256, Code.EVEX_Vfmadd213ps_zmm_k1z_zmm_zmmm512b32_er, target, a, b);

    /// <inheritdoc cref="MultiplyAdd(int, int, MemoryOperand)"/>
    public void MultiplyAdd(int target, int a, int b) => Three(Code.VEX_Vfmadd213ps_ymm_ymm_ymmm256, Code.EVEX_Vfmadd213ps_zmm_k1z_zmm_zmmm512b32_er, target, a, b);

    /// <summary>target = target + a · b.</summary>
    public void AddProduct(int target, int a, int b) => Three(Code.VEX_Vfmadd231ps_ymm_ymm_ymmm256, Code.EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er, target, a, b);

    /// <summary>target = target − a · b.</summary>
    public void SubtractProduct(int target, int a, int b) => Three(Code.VEX_Vfnmadd231ps_ymm_ymm_ymmm256, Code.EVEX_Vfnmadd231ps_zmm_k1z_zmm_zmmm512b32_er, target, a, b);

    /// <summary>Asks for a cache line.</summary>
    public void Prefetch(MemoryOperand line) => Add(Instruction.Create(Code.Prefetcht0_m8, line));

    /// <summary>Saves or restores the lower quarter of a register.</summary>
    public void Save(MemoryOperand target, int register) => Add(Instruction.Create(Code.VEX_Vmovups_xmmm128_xmm, target, Register.XMM0 + register));

    /// <inheritdoc cref="Save"/>
    public void Restore(int register, MemoryOperand source) => Add(Instruction.Create(Code.VEX_Vmovups_xmm_xmmm128, Register.XMM0 + register, source));

    /// <summary>The constants and the code behind them.</summary>
    public EmittedBytes Assemble()
    {
        using var stream = new MemoryStream();
        stream.Write(new byte[MostConstants * ConstantBytes]);
        General.Assemble(new StreamCodeWriter(stream), MostConstants * ConstantBytes);
        byte[] bytes = stream.ToArray();
        for (int i = 0; i < _constants.Count; i++) _constants[i].CopyTo(bytes, i * ConstantBytes);
        return new(bytes, MostConstants * ConstantBytes);
    }

    private Register Vector(int index) => (isWide ? Register.ZMM0 : Register.YMM0) + index;

    private void Two(Code narrow, Code wide, int target, MemoryOperand source) => Add(Instruction.Create(isWide ? wide : narrow, Vector(target), source));

    private void Three(Code narrow, Code wide, int target, int a, int b) => Add(Instruction.Create(isWide ? wide : narrow, Vector(target), Vector(a), Vector(b)));

    private void Three(Code narrow, Code wide, int target, int a, MemoryOperand b) => Add(Instruction.Create(isWide ? wide : narrow, Vector(target), Vector(a), b));

    private void Add(Instruction instruction) => General.AddInstruction(instruction);
}

/// <summary>Machine code that runs wherever it is put, at a multiple of 64 bytes.</summary>
/// <param name="Bytes">Constants, then instructions.</param>
/// <param name="Entry">Where the instructions begin.</param>
internal readonly record struct EmittedBytes(byte[] Bytes, int Entry);
