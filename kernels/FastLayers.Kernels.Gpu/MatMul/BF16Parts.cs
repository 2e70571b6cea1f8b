using ILGPU;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>A float cut into BF16 numbers that sum to it exactly: its upper half, the upper half of what that leaves, and so on.</summary>
internal static class BF16Parts
{
    private const int UpperBits = unchecked((int)0xFFFF0000);

    /// <summary>The first parts of two floats in a word, that of <paramref name="low"/> in its lower half.</summary>
    public static int Pack(float low, float high) => ((int)Interop.FloatAsInt(low) >>> 16) | ((int)Interop.FloatAsInt(high) & UpperBits);

    /// <summary>What the first part leaves, which is exact: the lower bits of the significand. NaN for an infinite float.</summary>
    public static float Rest(float value) => value - Interop.IntAsFloat((uint)((int)Interop.FloatAsInt(value) & UpperBits));
}
