using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// How the scales of 8 rows are stored, and what they are: <c>value = Factor · (Integer · code) − MinimumFactor · Minimum</c>, with an integer
/// and a minimum for 32 columns, or one for each half of them.
/// </summary>
internal unsafe interface IInterleavedScales
{
    /// <summary>Columns of a block of the format.</summary>
    static abstract int Columns { get; }

    /// <summary>Bytes for a block of 8 rows.</summary>
    static abstract int Bytes { get; }

    /// <summary>Integers for 32 columns: 0 if all are 1, or 1, or 2.</summary>
    static abstract int Integers { get; }

    /// <summary>Minimums for 32 columns: 0, 1 or 2. In a block of 32 the one minimum is its factor.</summary>
    static abstract int Minimums { get; }

    /// <summary>Stores the scales of one row's block.</summary>
    static abstract void Store(byte* block, int row, byte* unit);

    /// <summary>The factor of each row.</summary>
    static abstract Vector256<float> Factor(byte* unit);

    /// <summary>The factor of each row's minimums, if it has some.</summary>
    static virtual Vector256<float> MinimumFactor(byte* unit) => default;

    /// <summary>The integer of each row for a group of the block, twice, if it has some.</summary>
    static virtual Vector256<short> Integer(byte* unit, int group) => default;

    /// <summary>The integers of each row for two groups, starting with an even one.</summary>
    static virtual Vector256<short> TwoIntegers(byte* unit, int group) => default;

    /// <summary>The minimum of each row for a group of a block of more than 32 columns, without its factor.</summary>
    static virtual Vector256<float> Minimum(byte* unit, int group) => default;

    /// <summary>The minimums of each row for two groups, starting with an even one.</summary>
    static virtual Vector256<short> TwoMinimums(byte* unit, int group) => default;
}
