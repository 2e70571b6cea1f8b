using System.Runtime.Intrinsics.X86;

namespace FastLayers.Kernels.Emit;

/// <summary>The instruction sets that kernels are emitted for.</summary>
internal enum EmittedIsa
{
    /// <summary>256 bit, <c>vpmaddubsw</c> and <c>vpmaddwd</c>: some formats are faster than compiled, some slower; it proves the generator on every processor.</summary>
    Avx2,

    /// <summary>256 bit, <c>vpdpbusd</c> of AVX-VNNI.</summary>
    AvxVnni,

    /// <summary>512 bit, <c>vpdpbusd</c> of AVX512_VNNI, which .NET does not expose.</summary>
    Avx512Vnni,
}

/// <summary>What this processor, and the system for it, can run.</summary>
internal static class EmittedIsas
{
    /// <summary>Bits of ECX: of leaf 1, and of leaf 7.</summary>
    private const int F16C = 29;
    private const int Avx512VnniBit = 11;

    /// <summary>Whether code for <paramref name="isa"/> runs here. .NET's own answer holds what the system saves of a thread (XGETBV) and what is switched off.</summary>
    public static bool IsSupported(EmittedIsa isa)
    {
        if (!Avx2.IsSupported || !Fma.IsSupported || !Environment.Is64BitProcess || !Has(1, F16C)) return false;
        return isa switch
        {
            EmittedIsa.Avx2 => true,
            EmittedIsa.AvxVnni => AvxVnni.IsSupported,
            _ => Avx512F.VL.IsSupported && Avx512BW.VL.IsSupported && Avx512DQ.VL.IsSupported && Has(7, Avx512VnniBit),
        };
    }

    /// <summary>The instruction set's name.</summary>
    public static string Name(EmittedIsa isa) => isa switch
    {
        EmittedIsa.Avx2 => "AVX2",
        EmittedIsa.AvxVnni => "AVX-VNNI",
        _ => "AVX512_VNNI",
    };

    /// <summary>A bit of ECX.</summary>
    private static bool Has(int leaf, int bit) => X86Base.CpuId(0, 0).Eax >= leaf && ((X86Base.CpuId(leaf, 0).Ecx >> bit) & 1) != 0;
}
