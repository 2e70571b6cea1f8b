using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
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
    public static InterleavedScales Load(byte* unit, int part)
    {
        var scales = new InterleavedScales { Scale = EightRows.Halves(unit) };
        if (Integers == 1)
        {
            scales.Integer = EightRows.Twice(Vector128.CreateScalarUnsafe(*(long*)(unit + Halves + (8 * part))).AsSByte());
            return scales;
        }

        var bytes = Vector128.Load((sbyte*)unit + Halves + (16 * part));
        scales.Integer = EightRows.Twice(bytes);
        scales.UpperInteger = EightRows.UpperTwice(bytes);
        scales.Integers = EightRows.Paired(bytes);
        return scales;
    }
}

/// <summary>Groups of 32 with a 6-bit integer and minimum each.</summary>
internal readonly unsafe struct SixBitSuperScales : IInterleavedScales
{
    private const int Integer = 32;
    private const int Lowest = Integer + 64;

    public static int Columns => 256;

    public static int Bytes => Lowest + 64;

    public static int Integers => 1;

    public static int Minimums => 1;

    public static void Store(byte* block, int row, byte* unit)
    {
        ((ushort*)unit)[row] = ((ushort*)block)[0];
        ((ushort*)unit)[8 + row] = ((ushort*)block)[1];
        for (int g = 0; g < 8; g++)
        {
            (int scale, int minimum) = SixBitScales.Get(block + 4, g);
            unit[Integer + (8 * g) + row] = (byte)scale;
            unit[Lowest + (8 * g) + row] = (byte)minimum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static InterleavedScales Load(byte* unit, int part) => new()
    {
        Scale = EightRows.Halves(unit),
        Integer = EightRows.Twice(Vector128.CreateScalarUnsafe(*(long*)(unit + Integer + (8 * part))).AsSByte()),
        Minimum = EightRows.Halves(unit + 16) * EightRows.Floats(Vector128.CreateScalarUnsafe(*(long*)(unit + Lowest + (8 * part))).AsSByte()),
    };
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
    public static InterleavedScales Load(byte* unit, int part)
    {
        var bytes = Vector128.Load(unit + Groups + (16 * part));
        var integers = (bytes & Vector128.Create((byte)15)).AsSByte();
        var minimums = ((bytes.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15)).AsSByte();
        var factor = EightRows.Halves(unit + 16);
        return new()
        {
            Scale = EightRows.Halves(unit),
            Integer = EightRows.Twice(integers),
            UpperInteger = EightRows.UpperTwice(integers),
            Minimum = factor * EightRows.Floats(minimums),
            UpperMinimum = factor * EightRows.Floats(Sse2.ShiftRightLogical128BitLane(minimums, 8)),
        };
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
