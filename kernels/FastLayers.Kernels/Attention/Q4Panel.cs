using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// Panels of q4_0: a half scale, then 16 bytes, each with a code of the first half of the channels in its low and one of the second in its high bits,
/// 8 too large. Keys become bytes as they are, values shorts.
/// </summary>
internal readonly unsafe struct Q4Panel : IKeyPanel<ByteCells>, IValuePanel<ShortCells>
{
    private const int Cells = 8;
    private const int LowBits = 0x0F0F0F0F;
    private const short ZeroPoint = 8;

    public static int BlockBytes => sizeof(ushort) + (CachedRow.BlockLength / 2);

    public static bool HasScales => true;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Keys(byte* block, int stride, int count, int* cells)
    {
        for (int token = 0; token < count; token += 8, cells += CachedRow.BlockLength / 4 * Cells)
        {
            var rows = new EightTokens(block + sizeof(ushort), stride, token, count - 1);
            Store(rows.Word0, cells);
            Store(rows.Word1, cells + Cells);
            Store(rows.Word2, cells + (2 * Cells));
            Store(rows.Word3, cells + (3 * Cells));
        }

        return true;
    }

    /// <summary>The codes of channels, and those 16 channels after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> words, int* cells)
    {
        (words & Vector256.Create(LowBits)).Store(cells);
        (Vector256.ShiftRightLogical(words, 4) & Vector256.Create(LowBits)).Store(cells + (4 * Cells));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Values(byte* block, int stride, int count, int* cells)
    {
        const int group = PagedCache.PageLength / 2 * Cells;
        block += sizeof(ushort);
        for (int token = 0; token < count; token += 2, cells += Cells)
        {
            var a = Vector128.Load(block + ((long)token * stride));
            var b = Vector128.Load(block + ((long)Math.Min(token + 1, count - 1) * stride));
            Store(Avx2.ConvertToVector256Int16(Sse2.UnpackLow(a, b)), cells, cells + (2 * group));
            Store(Avx2.ConvertToVector256Int16(Sse2.UnpackHigh(a, b)), cells + group, cells + (3 * group));
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<short> bytes, int* lower, int* upper)
    {
        ((bytes & Vector256.Create((short)0xF)) - Vector256.Create(ZeroPoint)).AsInt32().Store(lower);
        (Vector256.ShiftRightLogical(bytes, 4) - Vector256.Create(ZeroPoint)).AsInt32().Store(upper);
    }
}
