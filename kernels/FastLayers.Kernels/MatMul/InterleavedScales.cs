using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.MatMul;

/// <summary>The scales of 32 columns of 8 rows; what a format does not have is not read.</summary>
internal struct InterleavedScales
{
    /// <summary>The factor of each row.</summary>
    public Vector256<float> Scale;

    /// <summary>The integer of each row, twice: for all columns, or the first 16.</summary>
    public Vector256<short> Integer;

    /// <summary>The integer for the last 16 columns.</summary>
    public Vector256<short> UpperInteger;

    /// <summary>The integers of each row for the first and for the last 16 columns.</summary>
    public Vector256<short> Integers;

    /// <summary>What is subtracted, for all columns or the first 16.</summary>
    public Vector256<float> Minimum;

    /// <summary>What is subtracted in the last 16 columns.</summary>
    public Vector256<float> UpperMinimum;
}
