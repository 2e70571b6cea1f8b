namespace FastLayers.Kernels.Pooling;

/// <summary>Operands of <see cref="StatisticsPooling"/>; pointers into memory that the caller keeps alive.</summary>
public readonly unsafe struct StatisticsPoolingArguments
{
    /// <summary>Features [batch, frames, channels].</summary>
    public required float* X { get; init; }

    /// <summary>Scores [batch, frames, channels], or [batch, frames] where a frame has one; null where all frames count the same.</summary>
    public required float* Scores { get; init; }

    /// <summary>Whether every channel has scores of its own; not where there are none.</summary>
    public required bool HasChannelScores { get; init; }

    /// <summary>Valid frames of each sequence, 1 to <see cref="Frames"/>.</summary>
    public required int* Lengths { get; init; }

    /// <summary>Number of sequences.</summary>
    public required int Batch { get; init; }

    /// <summary>Frames of a sequence with its padding.</summary>
    public required int Frames { get; init; }

    /// <summary>Channels, positive.</summary>
    public required int Channels { get; init; }

    /// <summary>Means, a row of <see cref="OutputStride"/> floats a sequence.</summary>
    public required float* Mean { get; init; }

    /// <summary>Standard deviations, in rows as far apart.</summary>
    public required float* Deviation { get; init; }

    /// <summary>Floats from the results of a sequence to those of the next.</summary>
    public required int OutputStride { get; init; }

    /// <summary>Least variance, positive.</summary>
    public required float VarianceFloor { get; init; }
}
