using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>Panels of float32.</summary>
internal readonly unsafe struct FloatPanel : IKeyPanel<FloatCells>, IValuePanel<FloatCells>
{
    private const int Lanes = 8;

    public static int BlockBytes => CachedRow.BlockLength * sizeof(float);

    public static bool HasScales => false;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Keys(byte* block, int stride, int count, int* cells)
    {
        for (int token = 0; token < count; token += Lanes)
        {
            for (int bytes = 0; bytes < BlockBytes; bytes += 16, cells += 4 * Lanes)
            {
                var rows = new EightTokens(block + bytes, stride, token, count - 1);
                rows.Word0.Store(cells);
                rows.Word1.Store(cells + Lanes);
                rows.Word2.Store(cells + (2 * Lanes));
                rows.Word3.Store(cells + (3 * Lanes));
            }
        }

        return true;
    }

    /// <summary>Values that are not finite are refused: a weight of 0 would not keep them from rows that do not see them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Values(byte* block, int stride, int count, int* cells)
    {
        var exponent = Vector256.Create(0x7F800000);
        var found = Vector256<int>.Zero;
        for (int token = 0; token < count; token++, block += stride, cells += Lanes)
        {
            for (int channel = 0; channel < CachedRow.BlockLength; channel += Lanes)
            {
                var values = Vector256.Load((int*)block + channel);
                found |= Vector256.Equals(values & exponent, exponent);
                values.Store(cells + (channel * PagedCache.PageLength));
            }
        }

        return found == default;
    }
}
