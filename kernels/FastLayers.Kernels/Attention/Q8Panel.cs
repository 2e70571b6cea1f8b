using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>Panels of q8_0: a half scale, then 32 signed bytes, which become shorts.</summary>
internal readonly unsafe struct Q8Panel : IKeyPanel<ShortCells>, IValuePanel<ShortCells>
{
    private const int Cells = 8;

    public static int BlockBytes => sizeof(ushort) + CachedRow.BlockLength;

    public static bool HasScales => true;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Keys(byte* block, int stride, int count, int* cells)
    {
        for (int token = 0; token < count; token += 8)
        {
            for (int half = sizeof(ushort); half < BlockBytes; half += 16)
            {
                var rows = new EightTokens(block + half, stride, token, count - 1);
                Store(rows.Word0, ref cells);
                Store(rows.Word1, ref cells);
                Store(rows.Word2, ref cells);
                Store(rows.Word3, ref cells);
            }
        }

        return true;
    }

    /// <summary>Four bytes of each of eight tokens: the first and third, then the second and fourth of each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> words, ref int* cells)
    {
        Vector256.ShiftRightArithmetic(words.AsInt16() << 8, 8).AsInt32().Store(cells);
        Vector256.ShiftRightArithmetic(words.AsInt16(), 8).AsInt32().Store(cells + Cells);
        cells += 2 * Cells;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Values(byte* block, int stride, int count, int* cells)
    {
        const int group = PagedCache.PageLength / 2 * Cells;
        block += sizeof(ushort);
        for (int token = 0; token < count; token += 2, cells += Cells)
        {
            byte* first = block + ((long)token * stride);
            byte* second = block + ((long)Math.Min(token + 1, count - 1) * stride);
            for (int half = 0; half < 2; half++)
            {
                var a = Vector128.Load((sbyte*)first + (16 * half));
                var b = Vector128.Load((sbyte*)second + (16 * half));
                Avx2.ConvertToVector256Int16(Sse2.UnpackLow(a, b)).AsInt32().Store(cells + (2 * half * group));
                Avx2.ConvertToVector256Int16(Sse2.UnpackHigh(a, b)).AsInt32().Store(cells + (2 * half * group) + group);
            }
        }

        return true;
    }
}
