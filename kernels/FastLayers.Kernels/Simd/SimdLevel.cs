using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FastLayers.Kernels.Simd;

/// <summary>The register widths that the float kernels exist for.</summary>
public enum SimdLevel
{
    /// <summary>128 bit: SSE, NEON or portable code.</summary>
    V128 = 128,

    /// <summary>256 bit: AVX2.</summary>
    V256 = 256,

    /// <summary>512 bit: AVX-512.</summary>
    V512 = 512,
}

/// <summary>Chooses the register width once for the process.</summary>
public static class SimdDispatch
{
    /// <summary>Environment variable that forces a width: 128, 256 or 512.</summary>
    public const string Variable = "FASTLAYERS_SIMD";

    /// <summary>
    /// The width that kernels use when the caller names none: the widest that the hardware runs at full speed, or the one that
    /// <see cref="Variable"/> names. A forced width beyond the hardware's works and is slow: .NET computes it in halves.
    /// </summary>
    /// <exception cref="TypeInitializationException"><see cref="Variable"/> holds another value; the inner exception says which.</exception>
    public static SimdLevel Level { get; } = Choose(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The widest level that the hardware runs without splitting registers.</summary>
    public static SimdLevel Widest =>
        Vector512.IsHardwareAccelerated && Avx512F.IsSupported ? SimdLevel.V512
        : Vector256.IsHardwareAccelerated ? SimdLevel.V256
        : SimdLevel.V128;

    /// <summary>The level for a value of <see cref="Variable"/>; unset or empty means <see cref="Widest"/>.</summary>
    /// <exception cref="InvalidOperationException">The value is not 128, 256 or 512.</exception>
    internal static SimdLevel Choose(string? forced) => forced switch
    {
        null or "" => Widest,
        "128" => SimdLevel.V128,
        "256" => SimdLevel.V256,
        "512" => SimdLevel.V512,
        _ => throw new InvalidOperationException($"Environment variable {Variable} should be 128, 256 or 512, found '{forced}'."),
    };
}
