using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Selection;

/// <summary>
/// The position of the largest value: greedy decoding over logits. Two passes, maximum and search; bound by reading the row.
/// </summary>
public static unsafe class ArgMax
{
    /// <summary>The lowest index that holds the largest value; -1 if there is none. NaN is never chosen; -0 and 0 are equal.</summary>
    /// <param name="x">The row.</param>
    public static int Row(ReadOnlySpan<float> x) => Row(SimdDispatch.Level, x);

    internal static int Row(SimdLevel level, ReadOnlySpan<float> x)
    {
        fixed (float* source = x)
        {
            switch (level)
            {
                case SimdLevel.V128: return ArgMaxSimd.Row<Lanes128>(source, x.Length);
                case SimdLevel.V256: return ArgMaxSimd.Row<Lanes256>(source, x.Length);
                case SimdLevel.V512: return ArgMaxSimd.Row<Lanes512>(source, x.Length);
                default: RowArguments.ThrowLevel(level); return -1;
            }
        }
    }
}
