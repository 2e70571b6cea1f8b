using FastLayers.Kernels.Formats;

namespace FastLayers;

/// <summary>How a session is run.</summary>
public sealed record SessionOptions
{
    /// <summary>Longest context that is used by default, to bound the memory of the key/value cache.</summary>
    public const int DefaultContextLimit = 8192;

    /// <summary>Tokens a sequence can hold; 0 takes the model's length, at most <see cref="DefaultContextLimit"/>.</summary>
    public int ContextLength { get; init; }

    /// <summary>Number of sequences.</summary>
    public int SequenceCount { get; init; } = 1;

    /// <summary>
    /// Storage of keys, which <see cref="Device.SupportsCache"/> tells about: F32, F16, and on the CPU Q8_0 or Q4_0, whose blocks need heads of a multiple of 32 values.
    /// Keys suffer more from few bits than values.
    /// </summary>
    public Format KeyFormat { get; init; } = Format.F16;

    /// <summary>Storage of values; on the CPU it may be another than that of the keys.</summary>
    public Format ValueFormat { get; init; } = Format.F16;

    /// <summary>Tokens that one forward pass takes at most; longer inputs are run in chunks. An encoder takes its context in one pass.</summary>
    public int ChunkLength { get; init; } = 512;

    /// <summary>What is done with each layer; null runs all.</summary>
    public LayerPlan? Plan { get; init; }

    /// <summary>Looks at the forward pass; null costs nothing.</summary>
    public LayerProbe? Probe { get; init; }
}
