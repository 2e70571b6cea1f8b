namespace FastLayers.Kernels.Pooling;

/// <summary>Operands of <see cref="StatisticsPoolingSimd"/>, checked already; pointers into memory that the caller keeps alive.</summary>
internal readonly unsafe struct StatisticsPoolingArguments
{
    /// <summary>Features [batch, frames, channels].</summary>
    public required float* X { get; init; }

    /// <summary>Scores [batch, frames, channels], or [batch, frames] where a frame has one.</summary>
    public required float* Scores { get; init; }

    /// <summary>Whether every channel has scores of its own.</summary>
    public required bool HasChannelScores { get; init; }

    /// <summary>Valid frames of each sequence, at least one.</summary>
    public required int* Lengths { get; init; }

    /// <summary>Frames of a sequence with its padding.</summary>
    public required int Frames { get; init; }

    /// <summary>Channels.</summary>
    public required int Channels { get; init; }

    /// <summary>Means, a row of <see cref="OutputStride"/> floats a sequence.</summary>
    public required float* Mean { get; init; }

    /// <summary>Standard deviations, in rows as far apart.</summary>
    public required float* Deviation { get; init; }

    /// <summary>Floats from the results of a sequence to those of the next.</summary>
    public required int OutputStride { get; init; }

    /// <summary>Least variance.</summary>
    public required float VarianceFloor { get; init; }
}
