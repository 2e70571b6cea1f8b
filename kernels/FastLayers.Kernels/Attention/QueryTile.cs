namespace FastLayers.Kernels.Attention;

/// <summary>
/// How many queries go over the keys and values of a page together. The kernels keep eight accumulators, one for each query and, where there are fewer
/// queries, for several tokens.
/// </summary>
internal interface IQueryTile
{
    /// <summary>Queries: 1, 2, 4 or 8.</summary>
    static abstract int Queries { get; }
}

/// <summary>One query, eight tokens at a time.</summary>
internal readonly struct OneQuery : IQueryTile
{
    public static int Queries => 1;
}

/// <summary>Two queries, four tokens at a time.</summary>
internal readonly struct TwoQueries : IQueryTile
{
    public static int Queries => 2;
}

/// <summary>Four queries, two tokens at a time.</summary>
internal readonly struct FourQueries : IQueryTile
{
    public static int Queries => 4;
}

/// <summary>Eight queries, token by token.</summary>
internal readonly struct EightQueries : IQueryTile
{
    public static int Queries => 8;
}
