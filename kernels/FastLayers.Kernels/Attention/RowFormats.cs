using System.Runtime.CompilerServices;
using FastLayers.Kernels.Dequantize;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// How registers of floats are read from a cached row: whole blocks of <see cref="CachedRow.BlockLength"/> values. The two halves of a block are read
/// together, since that is how q4_0 stores them.
/// </summary>
internal unsafe interface IRowFormat
{
    /// <summary>Bytes of a block.</summary>
    static abstract int BlockBytes { get; }

    /// <summary>Whether blocks have a scale.</summary>
    static abstract bool HasScales { get; }

    /// <summary>The scale of a block; 1 where there is none.</summary>
    static abstract float Scale(byte* block);

    /// <summary>Values <paramref name="index"/> and following of the first half of a block.</summary>
    static abstract TLanes Lower<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes>;

    /// <summary>Values <paramref name="index"/> and following of the second half of a block.</summary>
    static abstract TLanes Upper<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes>;
}

/// <summary>Rows of float32.</summary>
internal readonly unsafe struct FloatRow : IRowFormat
{
    public static int BlockBytes => CachedRow.BlockLength * sizeof(float);

    public static bool HasScales => false;

    public static float Scale(byte* block) => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Lower<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Load((float*)block + index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Upper<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Load((float*)block + (CachedRow.BlockLength / 2) + index);
}

/// <summary>Rows of halves that are known to be finite, which takes less than half of the instructions.</summary>
internal readonly unsafe struct FiniteHalfRow : IRowFormat
{
    public static int BlockBytes => CachedRow.BlockLength * sizeof(ushort);

    public static bool HasScales => false;

    public static float Scale(byte* block) => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Lower<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Multiply(TLanes.LoadSmallHalf((ushort*)block + index), TLanes.Broadcast(HalfBias.Factor));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Upper<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Multiply(TLanes.LoadSmallHalf((ushort*)block + (CachedRow.BlockLength / 2) + index), TLanes.Broadcast(HalfBias.Factor));
}

/// <summary>Rows of halves, infinite ones and NaN included.</summary>
internal readonly unsafe struct HalfRow : IRowFormat
{
    public static int BlockBytes => CachedRow.BlockLength * sizeof(ushort);

    public static bool HasScales => false;

    public static float Scale(byte* block) => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Lower<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.LoadHalf((ushort*)block + index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Upper<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.LoadHalf((ushort*)block + (CachedRow.BlockLength / 2) + index);
}

/// <summary>Rows of q8_0: a half scale, then 32 signed bytes.</summary>
internal readonly unsafe struct Q8Row : IRowFormat
{
    public static int BlockBytes => sizeof(ushort) + CachedRow.BlockLength;

    public static bool HasScales => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Scale(byte* block) => HalfPrecision.DecodeF16(*(ushort*)block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Lower<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Multiply(TLanes.LoadSByte((sbyte*)block + sizeof(ushort) + index), scale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Upper<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Multiply(TLanes.LoadSByte((sbyte*)block + sizeof(ushort) + (CachedRow.BlockLength / 2) + index), scale);
}

/// <summary>Rows of q4_0: a half scale, then 16 bytes, each with a code of the first half in its low and one of the second in its high bits, 8 too large.</summary>
internal readonly unsafe struct Q4Row : IRowFormat
{
    public static int BlockBytes => sizeof(ushort) + (CachedRow.BlockLength / 2);

    public static bool HasScales => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Scale(byte* block) => HalfPrecision.DecodeF16(*(ushort*)block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Lower<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes> =>
        Value(TLanes.LoadLowNibbles(block + sizeof(ushort) + index), scale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Upper<TLanes>(byte* block, int index, TLanes scale) where TLanes : unmanaged, ILanes<TLanes> =>
        Value(TLanes.LoadHighNibbles(block + sizeof(ushort) + index), scale);

    /// <summary>A code and a half have so few bits that nothing is rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Value<TLanes>(TLanes code, TLanes scale) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Multiply(TLanes.Subtract(code, TLanes.Broadcast(8)), scale);
}
