using FastLayers.Kernels.Emit;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.MatMul;
using Iced.Intel;

namespace FastLayers.Kernels.Tests.Emit;

/// <summary>Reads every emitted kernel back, for every set of instructions and both calling conventions, whatever this processor runs.</summary>
public sealed class EmittedCodeTests
{
    private static readonly CpuidFeature[] s_base = [CpuidFeature.INTEL8086, CpuidFeature.INTEL386, CpuidFeature.X64, CpuidFeature.SSE];
    private static readonly CpuidFeature[] s_avx2 = [.. s_base, CpuidFeature.AVX, CpuidFeature.AVX2, CpuidFeature.FMA, CpuidFeature.F16C];

    // rdi and rsi belong to the callee on Windows only, and so do the lower quarters of vectors 6 to 15.
    private static readonly Register[] s_calleeSaved = [Register.RBX, Register.RBP, Register.R12, Register.R13, Register.R14, Register.R15];

    public static TheoryData<string, string, bool> Kernels
    {
        get
        {
            var data = new TheoryData<string, string, bool>();
            foreach (var storage in InterleavedStorage.All)
            {
                foreach (var isa in Enum.GetNames<EmittedIsa>())
                {
                    data.Add(storage.Format.Name, isa, false);
                    data.Add(storage.Format.Name, isa, true);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Every_instruction_is_within_the_gate(string format, string isa, bool isWindows)
    {
        CpuidFeature[] allowed = Enum.Parse<EmittedIsa>(isa) switch
        {
            EmittedIsa.Avx2 => s_avx2,
            EmittedIsa.AvxVnni => [.. s_avx2, CpuidFeature.AVX_VNNI],
            _ => [.. s_avx2, CpuidFeature.AVX512F, CpuidFeature.AVX512VL, CpuidFeature.AVX512BW, CpuidFeature.AVX512DQ, CpuidFeature.AVX512_VNNI],
        };
        var instructions = Decode(format, isa, isWindows);
        Assert.DoesNotContain(instructions, instruction => instruction.IsInvalid);
        Assert.All(instructions, instruction => Assert.Empty(instruction.Code.CpuidFeatures().Except(allowed)));

        // Without its vpdpbusd a kernel for VNNI would be one for something else.
        Assert.Equal(isa != nameof(EmittedIsa.Avx2), instructions.Any(instruction => instruction.Mnemonic == Mnemonic.Vpdpbusd));
        Assert.Equal(isa == nameof(EmittedIsa.Avx512Vnni), instructions.Any(instruction => instruction.Op0Register.IsZMM()));
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void What_the_caller_wants_back_is_restored(string format, string isa, bool isWindows)
    {
        var instructions = Decode(format, isa, isWindows);
        Assert.Equal(Mnemonic.Ret, instructions[^1].Mnemonic);
        Assert.Single(instructions, instruction => instruction.FlowControl == FlowControl.Return);
        Assert.DoesNotContain(instructions, instruction => instruction.FlowControl is FlowControl.Call or FlowControl.IndirectBranch or FlowControl.Interrupt);

        var pushed = new Stack<Register>();
        var saved = new Dictionary<Register, ulong>();
        var restored = new Dictionary<Register, ulong>();
        var written = new HashSet<Register>();
        long depth = 0;
        var factory = new InstructionInfoFactory();
        foreach (var instruction in instructions)
        {
            depth += instruction.StackPointerIncrement;
            switch (instruction.Mnemonic)
            {
                case Mnemonic.Push:
                    pushed.Push(instruction.Op0Register);
                    continue;
                case Mnemonic.Pop:
                    Assert.Equal(pushed.Pop(), instruction.Op0Register);
                    continue;
                case Mnemonic.Sub when instruction.Op0Register == Register.RSP:
                    depth -= (long)instruction.GetImmediate(1);
                    continue;
                case Mnemonic.Add when instruction.Op0Register == Register.RSP:
                    depth += (long)instruction.GetImmediate(1);
                    continue;
                case Mnemonic.Vmovups when instruction.MemoryBase == Register.RSP && instruction.Op0Kind == OpKind.Memory:
                    Assert.DoesNotContain(instruction.Op1Register.GetFullRegister(), written);
                    Assert.True(saved.TryAdd(instruction.Op1Register, instruction.MemoryDisplacement64));
                    Assert.InRange((long)instruction.MemoryDisplacement64, 0, (16 * 10) - 16);
                    continue;
                case Mnemonic.Vmovups when instruction.MemoryBase == Register.RSP:
                    restored.Add(instruction.Op0Register, instruction.MemoryDisplacement64);
                    continue;
            }

            // Memory is written through the pointer to the sums only.
            foreach (var memory in factory.GetInfo(instruction).GetUsedMemory())
            {
                if (memory.Access is OpAccess.Write or OpAccess.ReadWrite && instruction.Mnemonic != Mnemonic.Ret) Assert.Equal(Register.RSI, memory.Base);
            }

            foreach (var register in factory.GetInfo(instruction).GetUsedRegisters())
            {
                if (register.Access is not (OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite or OpAccess.ReadCondWrite) || instruction.Mnemonic is Mnemonic.Ret or Mnemonic.Vzeroupper) continue;
                var full = register.Register.GetFullRegister();
                written.Add(full);
                if (s_calleeSaved.Contains(full) || (isWindows && full is Register.RDI or Register.RSI)) Assert.Contains(full, pushed);
                if (isWindows && full.IsVectorRegister() && full - Register.ZMM0 is >= 6 and <= 15) Assert.Contains(Register.XMM0 + (full - Register.ZMM0), saved);
            }
        }

        Assert.Empty(pushed);
        Assert.Equal(saved, restored);
        Assert.Equal(isWindows ? 10 : 0, saved.Count);
        Assert.Equal(8, depth);
        Assert.Equal(Mnemonic.Vzeroupper, Assert.Single(instructions, instruction => instruction.Mnemonic == Mnemonic.Vzeroupper).Mnemonic);
    }

    [Fact]
    public void The_storage_is_that_of_the_layouts()
    {
        Assert.SkipUnless(InterleavedLayout.IsSupported, "This processor has no AVX2, which the layout is made for.");
        Assert.Equal(
            Format.All.Where(format => InterleavedLayout.For(format) is { RoundsActivations: true }).Select(format => format.Name).Order(),
            InterleavedStorage.All.Select(storage => storage.Format.Name).Order());
        foreach (var storage in InterleavedStorage.All)
        {
            const int columns = 1024;
            Assert.Equal(storage.Format.BlockLength, storage.Scales.Columns);
            Assert.Equal((columns / 32 * storage.Codes.Bytes) + (columns / storage.Scales.Columns * storage.Scales.Bytes), InterleavedLayout.For(storage.Format)!.TileBytes(columns));
        }
    }

    private static List<Instruction> Decode(string format, string isa, bool isWindows)
    {
        var storage = InterleavedStorage.All.Single(storage => storage.Format.Name == format);
        var code = InterleavedGenerator.Generate(storage, Enum.Parse<EmittedIsa>(isa), isWindows);
        var decoder = Decoder.Create(64, code.Bytes.AsSpan(code.Entry).ToArray(), (ulong)code.Entry);
        var instructions = new List<Instruction>();
        while (decoder.IP < (ulong)code.Bytes.Length) instructions.Add(decoder.Decode());
        return instructions;
    }
}
