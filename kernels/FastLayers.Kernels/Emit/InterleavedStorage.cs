using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Emit;

/// <summary>Bits of codes: those of 32 columns of 8 rows are eight vectors, which share bytes as <see cref="MatMul.IInterleavedCodes"/> describes.</summary>
/// <param name="Bits">1, 2, 4 or 8 a code.</param>
/// <param name="Offset">Bytes from the cell's start.</param>
/// <param name="Place">The lowest of these bits in a code.</param>
internal readonly record struct CodePlane(int Bits, int Offset, int Place)
{
    /// <summary>The stored vector that holds these bits of vector <paramref name="vector"/>, in bytes from the cell's start.</summary>
    public int Source(int vector) => Offset + (32 * (Bits switch { 8 => vector, 4 => vector / 2, 2 => vector % 2, _ => 0 }));

    /// <summary>Where in the bytes of that vector they are.</summary>
    public int Shift(int vector) => Bits switch { 8 => 0, 4 => 4 * (vector % 2), 2 => 2 * (vector / 2), _ => vector };

    /// <summary>These bits of a code.</summary>
    public byte Mask => (byte)(((1 << Bits) - 1) << Place);
}

/// <summary>How a format's codes lie in an interleaved tile.</summary>
internal sealed record CodeStorage
{
    /// <summary>Bytes for 32 columns of 8 rows.</summary>
    public required int Bytes { get; init; }

    public required CodePlane[] Planes { get; init; }

    /// <summary>What the numbers stored stand for, if not for themselves.</summary>
    public sbyte[]? Levels { get; init; }

    /// <summary>What is added to a code to have no negative ones; 0 for signed bytes.</summary>
    public int Offset { get; init; }

    /// <summary>Whether a code is a signed byte.</summary>
    public bool IsSigned { get; init; }

    /// <summary>The largest code with the offset added, or the largest magnitude.</summary>
    public required int Largest { get; init; }
}

/// <summary>How a format's scales lie behind the codes; places are bytes from the block's start.</summary>
internal sealed record ScaleStorage
{
    /// <summary>Columns of a block.</summary>
    public int Columns { get; init; } = 32;

    /// <summary>Bytes for a block of 8 rows. The first 16 are the rows' scales.</summary>
    public required int Bytes { get; init; }

    /// <summary>Whether a scale is an exponent instead of a half.</summary>
    public bool IsExponent { get; init; }

    /// <summary>Groups of 32 columns, 1 or 2.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Where the bytes that scale the groups lie, 8 a group, or 0.</summary>
    public int Integers { get; init; }

    /// <summary>Whether the 16 bytes after the scales are halves too: minimums, or their factors.</summary>
    public bool HasMinimums { get; init; }

    /// <summary>Whether minimums are added instead of subtracted.</summary>
    public bool AddsMinimums { get; init; }

    /// <summary>Where the bytes that scale the minimums lie, or 0. The same place as <see cref="Integers"/>: they are the upper halves of those bytes.</summary>
    public int MinimumIntegers { get; init; }
}

/// <summary>The interleaved layout of one format as the generator wants it told; <see cref="MatMul.InterleavedLayout"/> writes it.</summary>
internal sealed record InterleavedStorage(Format Format, CodeStorage Codes, ScaleStorage Scales)
{
    private static readonly ScaleStorage s_halves = new() { Bytes = 16 };
    private static readonly ScaleStorage s_halvesAndMinimums = new() { Bytes = 32, HasMinimums = true, AddsMinimums = true };
    private static readonly ScaleStorage s_sixBits = new() { Columns = 256, Bytes = 160, Integers = 32, HasMinimums = true, MinimumIntegers = 96 };
    private static readonly ScaleStorage s_signedSixteens = new() { Columns = 256, Bytes = 144, Groups = 2, Integers = 16 };

    /// <summary>All formats with such a layout.</summary>
    public static IReadOnlyList<InterleavedStorage> All { get; } =
    [
        new(Format.Q4_0, Four(8), s_halves),
        new(Format.Q4_1, Four(0), s_halvesAndMinimums),
        new(Format.Q5_0, Five(16), s_halves),
        new(Format.Q5_1, Five(0), s_halvesAndMinimums),
        new(Format.Q8_0, new() { Bytes = 256, Planes = [new(8, 0, 0)], IsSigned = true, Largest = 128 }, s_halves),
        new(Format.Q2_K, Two(0), new() { Columns = 256, Bytes = 160, Groups = 2, Integers = 32, HasMinimums = true, MinimumIntegers = 32 }),
        new(Format.Q3_K, new() { Bytes = 96, Planes = [new(2, 0, 0), new(1, 64, 2)], Offset = 4, Largest = 7 }, s_signedSixteens),
        new(Format.Q4_K, Four(0), s_sixBits),
        new(Format.Q5_K, Five(0), s_sixBits),
        new(Format.Q6_K, new() { Bytes = 192, Planes = [new(4, 0, 0), new(2, 128, 4)], Offset = 32, Largest = 63 }, s_signedSixteens),
        new(Format.IQ4_NL, Uneven, s_halves),
        new(Format.IQ4_XS, Uneven, new() { Columns = 256, Bytes = 80, Integers = 16 }),
        new(Format.MXFP4, new() { Bytes = 128, Planes = [new(4, 0, 0)], Levels = [12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0], Offset = 12, Largest = 24 }, new() { Bytes = 16, IsExponent = true }),
        new(Format.TQ2_0, Two(1), new() { Columns = 256, Bytes = 16 }),
    ];

    private static CodeStorage Uneven => new() { Bytes = 128, Planes = [new(4, 0, 0)], Levels = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], IsSigned = true, Largest = 127 };

    private static CodeStorage Two(int offset) => new() { Bytes = 64, Planes = [new(2, 0, 0)], Offset = offset, Largest = 3 };

    private static CodeStorage Four(int offset) => new() { Bytes = 128, Planes = [new(4, 0, 0)], Offset = offset, Largest = 15 };

    private static CodeStorage Five(int offset) => new() { Bytes = 160, Planes = [new(4, 0, 0), new(1, 128, 4)], Offset = offset, Largest = 31 };
}
