using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.MatMul;

/// <summary>Where a format with blocks of 256 keeps the scale and the integers of its groups.</summary>
internal unsafe interface ISuperBlock
{
    /// <summary>Values of a group.</summary>
    static abstract int GroupLength { get; }

    /// <summary>The bits of the half that scales the block.</summary>
    static abstract ushort Half(byte* block);

    /// <summary>The integer of a group, −128…127.</summary>
    static abstract int Integer(byte* block, int group);
}

/// <summary>Groups with a signed integer each, and no minimums.</summary>
internal readonly unsafe struct SignedSuperScales<TBlock> : IInterleavedScales
    where TBlock : struct, ISuperBlock
{
    private const int Halves = 16;

    public static int Columns => 256;

    public static int Bytes => Halves + (8 * 256 / TBlock.GroupLength);

    public static int Integers => 32 / TBlock.GroupLength;

    public static int Minimums => 0;

    public static void Store(byte* block, int row, byte* unit)
    {
        ((ushort*)unit)[row] = TBlock.Half(block);
        for (int g = 0; g < 256 / TBlock.GroupLength; g++) unit[Halves + (8 * g) + row] = (byte)TBlock.Integer(block, g);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Factor(byte* unit) => EightRows.Halves(unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Integer(byte* unit, int group) => EightRows.Twice(EightRows.Bytes(unit + Halves + (8 * group)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> TwoIntegers(byte* unit, int group) => EightRows.Paired(Vector128.Load((sbyte*)unit + Halves + (8 * group)));
}

/// <summary>Groups of 32 with a 6-bit integer and minimum each.</summary>
internal readonly unsafe struct SixBitSuperScales : IInterleavedScales
{
    private const int FirstInteger = 32;
    private const int FirstMinimum = FirstInteger + 64;

    public static int Columns => 256;

    public static int Bytes => FirstMinimum + 64;

    public static int Integers => 1;

    public static int Minimums => 1;

    public static void Store(byte* block, int row, byte* unit)
    {
        ((ushort*)unit)[row] = ((ushort*)block)[0];
        ((ushort*)unit)[8 + row] = ((ushort*)block)[1];
        for (int g = 0; g < 8; g++)
        {
            (int scale, int minimum) = SixBitScales.Get(block + 4, g);
            unit[FirstInteger + (8 * g) + row] = (byte)scale;
            unit[FirstMinimum + (8 * g) + row] = (byte)minimum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Factor(byte* unit) => EightRows.Halves(unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MinimumFactor(byte* unit) => EightRows.Halves(unit + 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Integer(byte* unit, int group) => EightRows.Twice(EightRows.Bytes(unit + FirstInteger + (8 * group)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Minimum(byte* unit, int group) => EightRows.Floats(EightRows.Bytes(unit + FirstMinimum + (8 * group)));
}

/// <summary>Groups of 16 with a 4-bit integer and minimum each, which share a byte.</summary>
internal readonly unsafe struct FourBitSuperScales : IInterleavedScales
{
    private const int Groups = 32;

    public static int Columns => 256;

    public static int Bytes => Groups + 128;

    public static int Integers => 2;

    public static int Minimums => 2;

    public static void Store(byte* block, int row, byte* unit)
    {
        ((ushort*)unit)[row] = *(ushort*)(block + 80);
        ((ushort*)unit)[8 + row] = *(ushort*)(block + 82);
        for (int g = 0; g < 16; g++) unit[Groups + (8 * g) + row] = block[g];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Factor(byte* unit) => EightRows.Halves(unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MinimumFactor(byte* unit) => EightRows.Halves(unit + 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Integer(byte* unit, int group) => EightRows.Twice(EightRows.Bytes(unit + Groups + (8 * group)) & Vector128.Create((sbyte)15));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> TwoMinimums(byte* unit, int group)
    {
        var bytes = Vector128.Load(unit + Groups + (8 * group)).AsUInt16() >>> 4;
        return EightRows.Paired(bytes.AsSByte() & Vector128.Create((sbyte)15));
    }
}

internal readonly unsafe struct SuperQ3_K : ISuperBlock
{
    public static int GroupLength => 16;

    public static ushort Half(byte* block) => ((BlockQ3_K*)block)->Scale.Bits;

    public static int Integer(byte* block, int group) => BlockQ3_K.ScaleOf((BlockQ3_K*)block, group);
}

internal readonly unsafe struct SuperQ6_K : ISuperBlock
{
    public static int GroupLength => 16;

    public static ushort Half(byte* block) => ((BlockQ6_K*)block)->Scale.Bits;

    public static int Integer(byte* block, int group) => ((BlockQ6_K*)block)->Scales[group];
}

internal readonly unsafe struct SuperIQ4_XS : ISuperBlock
{
    public static int GroupLength => 32;

    public static ushort Half(byte* block) => ((BlockIQ4_XS*)block)->Scale.Bits;

    public static int Integer(byte* block, int group) => BlockIQ4_XS.ScaleOf((BlockIQ4_XS*)block, group);
}
