using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// What lies in the cells of a panel, see <see cref="IPanel"/>: four bytes each, one float or several codes, which a query or the weights of a
/// query meet as a cell of the same kind. Registers hold eight cells, sums eight sums. All need AVX2.
/// </summary>
internal unsafe interface ICells
{
    /// <summary>Values a cell.</summary>
    static abstract int PerCell { get; }

    /// <summary>Sums before the first step of a block.</summary>
    /// <param name="operand">One past the last cell of the operand.</param>
    static abstract Vector256<int> Begin(int* operand);

    /// <summary>Adds the products of eight cells with one cell of an operand, in every element.</summary>
    static abstract Vector256<int> Add(Vector256<int> sums, Vector256<int> cells, Vector256<int> operand);

    /// <summary>The sums as floats.</summary>
    static abstract Vector256<float> Total(Vector256<int> sums);
}

/// <summary>Cells that a query is laid out as.</summary>
internal unsafe interface IQueryCells : ICells
{
    /// <summary>Lays out 32 values of a query.</summary>
    /// <param name="query">The values.</param>
    /// <param name="scale">Factor of the values.</param>
    /// <param name="operand">Receives 32 / <see cref="ICells.PerCell"/> cells, and what <see cref="ICells.Begin"/> reads behind them.</param>
    /// <returns>The factor of sums over the operand.</returns>
    static abstract float Query(float* query, float scale, int* operand);
}

/// <summary>Cells that the weights of a page are laid out as.</summary>
internal unsafe interface IWeightCells : ICells
{
    /// <summary>Whether weights are rounded; else they have no scales, and are read where they are.</summary>
    static abstract bool Rounds { get; }

    /// <summary>Lays out weights times scales.</summary>
    /// <param name="weights">The weights of a page.</param>
    /// <param name="scales">As many scales.</param>
    /// <param name="operand">Receives 64 / <see cref="ICells.PerCell"/> cells.</param>
    /// <returns>The factor of sums over the operand.</returns>
    static abstract float Weights(float* weights, float* scales, int* operand);
}
