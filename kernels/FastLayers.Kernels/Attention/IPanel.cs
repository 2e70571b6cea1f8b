namespace FastLayers.Kernels.Attention;

/// <summary>
/// How one block of 32 channels of the rows of a page becomes a panel of cells. Groups of eight sums lie one after the other, each as [steps, 8] cells, so
/// that a step of a product reads a register. What stands for tokens behind the last is any number.
/// </summary>
internal interface IPanel
{
    /// <summary>Bytes of a block.</summary>
    static abstract int BlockBytes { get; }

    /// <summary>Whether a block starts with a scale, a half.</summary>
    static abstract bool HasScales { get; }
}

/// <summary>Keys: a group is eight tokens, a cell neighboring channels.</summary>
internal unsafe interface IKeyPanel<TCells> : IPanel
    where TCells : struct, IQueryCells
{
    /// <summary>Takes keys apart.</summary>
    /// <param name="block">The block of the first token.</param>
    /// <param name="stride">Bytes from token to token.</param>
    /// <param name="count">Tokens, at least 1.</param>
    /// <param name="cells">Receives eight groups of 32 / <see cref="ICells.PerCell"/> steps; groups without tokens are not written.</param>
    /// <returns>False if there are values that cells cannot hold.</returns>
    static abstract bool Keys(byte* block, int stride, int count, int* cells);
}

/// <summary>Values: a group is eight channels, a cell neighboring tokens.</summary>
internal unsafe interface IValuePanel<TCells> : IPanel
    where TCells : struct, IWeightCells
{
    /// <summary>Takes values apart.</summary>
    /// <param name="block">The block of the first token.</param>
    /// <param name="stride">Bytes from token to token.</param>
    /// <param name="count">Tokens, at least 1.</param>
    /// <param name="cells">Receives four groups of 64 / <see cref="ICells.PerCell"/> steps, of which those of tokens are written.</param>
    /// <returns>False if there are values that cells cannot hold.</returns>
    static abstract bool Values(byte* block, int stride, int count, int* cells);
}
