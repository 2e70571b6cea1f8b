using ILGPU;

namespace FastLayers.Kernels.Gpu.Normalize;

/// <summary>
/// The share of one thread in sums over a row. Partial sums are closed every <see cref="ValuesPerPartialSum"/> values, so that rounding stays
/// small in small groups too.
/// </summary>
internal static class RowSums
{
    private const int ValuesPerPartialSum = 64;

    /// <summary>Σ x[i].</summary>
    public static float Values(ArrayView<float> row, int length)
    {
        float sum = 0;
        int stride = ValuesPerPartialSum * Group.DimX;
        for (int start = Group.IdxX; start < length; start += stride)
        {
            float partial = 0;
            int end = Math.Min(length, start + stride);
            for (int i = start; i < end; i += Group.DimX) partial += row[i];
            sum += partial;
        }

        return sum;
    }

    /// <summary>Σ (x[i] - center)².</summary>
    public static float Squares(ArrayView<float> row, int length, float center)
    {
        float sum = 0;
        int stride = ValuesPerPartialSum * Group.DimX;
        for (int start = Group.IdxX; start < length; start += stride)
        {
            float partial = 0;
            int end = Math.Min(length, start + stride);
            for (int i = start; i < end; i += Group.DimX)
            {
                float difference = row[i] - center;
                partial += difference * difference;
            }

            sum += partial;
        }

        return sum;
    }

    /// <summary>x[i] += residual[i].</summary>
    public static void Add(ArrayView<float> row, ArrayView<float> residual, int length)
    {
        for (int i = Group.IdxX; i < length; i += Group.DimX) row[i] += residual[i];
    }
}
