namespace FastLayers.Kernels.Pruning;

/// <summary>Checks of the rows that are pruned and merged.</summary>
internal static class PruningRows
{
    /// <summary>Rows of <paramref name="columns"/> values.</summary>
    /// <exception cref="ArgumentException">The rows are not whole.</exception>
    public static int Count(string operation, int length, int columns, string parameter)
    {
        if (columns <= 0 || length % columns != 0)
            throw new ArgumentException($"{operation}: expected whole rows of one or more columns, found {length} values and {columns} columns.", parameter);
        return length / columns;
    }

    /// <summary>Throws if there are members but no anchor.</summary>
    /// <exception cref="ArgumentException">So it is.</exception>
    public static void RequireAnchors(string operation, int members, int anchors)
    {
        if (members > 0 && anchors == 0) throw new ArgumentException($"{operation}: expected an anchor for {members} members, found none.", nameof(anchors));
    }
}
