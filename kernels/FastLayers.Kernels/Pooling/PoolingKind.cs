namespace FastLayers.Kernels.Pooling;

/// <summary>How the rows of a sequence become one row.</summary>
public enum PoolingKind
{
    /// <summary>The mean of every column.</summary>
    Mean,

    /// <summary>The first row (CLS token).</summary>
    First,

    /// <summary>The last row.</summary>
    Last,

    /// <summary>The maximum of every column.</summary>
    Max,
}
