using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Attention;

/// <summary>Panels of halves, which must be finite.</summary>
internal readonly unsafe struct HalfPanel : IKeyPanel<FloatCells>, IValuePanel<FloatCells>
{
    private const int Lanes = 8;
    private const int Exponents = 0x7C007C00;

    public static int BlockBytes => CachedRow.BlockLength * sizeof(ushort);

    public static bool HasScales => false;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Keys(byte* block, int stride, int count, int* cells)
    {
        var found = Vector256<short>.Zero;
        for (int token = 0; token < count; token += Lanes)
        {
            for (int bytes = 0; bytes < BlockBytes; bytes += 16)
            {
                var rows = new EightTokens(block + bytes, stride, token, count - 1);
                found |= NotFinite(rows.Word0) | NotFinite(rows.Word1) | NotFinite(rows.Word2) | NotFinite(rows.Word3);
                Store(rows.Word0, ref cells);
                Store(rows.Word1, ref cells);
                Store(rows.Word2, ref cells);
                Store(rows.Word3, ref cells);
            }
        }

        return found == default;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Values(byte* block, int stride, int count, int* cells)
    {
        var found = Vector256<short>.Zero;
        for (int token = 0; token < count; token++, block += stride, cells += Lanes)
        {
            for (int channel = 0; channel < CachedRow.BlockLength; channel += 2 * Lanes)
            {
                found |= NotFinite(Vector256.Load((int*)block + (channel / 2)));
                for (int i = channel; i < channel + (2 * Lanes); i += Lanes)
                    Float(Avx2.ConvertToVector256Int32((short*)block + i) << 16).Store((float*)cells + (i * PagedCache.PageLength));
            }
        }

        return found == default;
    }

    /// <summary>Two neighboring channels of eight tokens.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> halves, ref int* cells)
    {
        Float(halves << 16).Store((float*)cells);
        Float(halves).Store((float*)cells + Lanes);
        cells += 2 * Lanes;
    }

    /// <summary>The half in the upper bits of each element; exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Float(Vector256<int> halves) =>
        (Vector256.ShiftRightArithmetic(halves, 3) & Vector256.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector256.Create(HalfBias.Factor);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> NotFinite(Vector256<int> halves) =>
        Vector256.Equals((halves & Vector256.Create(Exponents)).AsInt16(), Vector256.Create(Exponents).AsInt16());
}
