namespace FastLayers.Kernels.GroupedAffine;

/// <summary>
/// Operands of a product of activations with the transpose of a matrix of <see cref="GroupedAffineLayout"/>; pointers into memory that the caller
/// keeps alive.
/// </summary>
public readonly unsafe struct GroupedMatMulArguments
{
    /// <summary>Sizes of the matrix.</summary>
    public required GroupedAffineLayout Layout { get; init; }

    /// <summary>Its codes.</summary>
    public required int* Codes { get; init; }

    /// <summary>Its scales.</summary>
    public required float* Scales { get; init; }

    /// <summary>Its zeros.</summary>
    public required float* Zeros { get; init; }

    /// <summary>For each column of the matrix the activation that it is multiplied with, each exactly once; null if in order.</summary>
    public int* Order { get; init; }

    /// <summary>One value an output, or null.</summary>
    public float* Bias { get; init; }

    /// <summary>Activations [rows, columns].</summary>
    public required float* Input { get; init; }

    /// <summary>Result [rows, outputs]; must not overlap the operands.</summary>
    public required float* Output { get; init; }

    /// <summary>Number of activation rows.</summary>
    public required int Rows { get; init; }
}
