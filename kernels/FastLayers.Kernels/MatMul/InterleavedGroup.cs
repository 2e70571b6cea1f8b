using System.Runtime.CompilerServices;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>Products of the same activations with several matrices, whose tiles are one piece of work: the threads meet once.</summary>
internal unsafe struct InterleavedGroup : IParallelWork
{
    /// <summary>Products of a group at most.</summary>
    public const int Capacity = 4;

    private readonly WorkerPool _pool;
    private readonly byte* _activations;
    private readonly int _count;
    private Products _products;

    /// <summary>Copies the products' operands.</summary>
    public InterleavedGroup(WorkerPool pool, ReadOnlySpan<MatMulArguments> products, byte* activations)
    {
        _pool = pool;
        _activations = activations;
        _count = products.Length;
        products.CopyTo(_products);
        foreach (var product in products) Tiles += InterleavedLayout.Tiles(product.Outputs);
    }

    /// <summary>Tiles of all matrices.</summary>
    public int Tiles { get; }

    public readonly void Execute(int start, int end, int worker)
    {
        ReadOnlySpan<MatMulArguments> products = _products;
        int first = 0;
        foreach (ref readonly var product in products[.._count])
        {
            int tiles = InterleavedLayout.Tiles(product.Outputs);
            int from = Math.Max(start - first, 0), to = Math.Min(end - first, tiles);
            if (from < to) InterleavedLayout.For(product.Format)!.Multiply(_pool, product, _activations, from, to, worker);
            first += tiles;
        }
    }

    [InlineArray(Capacity)]
    private struct Products
    {
        private MatMulArguments _first;
    }
}
