using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// Matrix product of interleaved rows (<see cref="InterleavedLayout"/>): the same numbers as those of <see cref="MatMulSimdInt8"/>, or of
/// <see cref="MatMulSimdFloat"/> for a float format, up to the order of float sums, and several times as fast.
/// </summary>
public static unsafe class MatMulSimdInterleaved
{
    /// <summary>Arranges the activations and computes the product.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="layout">The layout of the weights.</param>
    /// <param name="arguments">The operands; the weights are interleaved.</param>
    /// <param name="memory">At least <see cref="InterleavedLayout.ActivationBytes"/> bytes, 64-byte aligned.</param>
    /// <exception cref="ArgumentException">A size is negative, a weight row is not whole blocks, or the layout is of another format.</exception>
    public static void Multiply(WorkerPool pool, InterleavedLayout layout, in MatMulArguments arguments, byte* memory)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(layout);
        arguments.Check(nameof(MatMulSimdInterleaved));
        if (arguments.Format != layout.Format)
            throw new ArgumentException($"{nameof(MatMulSimdInterleaved)}: the weights are {arguments.Format.Name}, their layout is for {layout.Format.Name}.", nameof(layout));
        layout.Arrange(pool, arguments.Input, arguments.Rows, arguments.Columns, memory);
        layout.Multiply(pool, arguments, memory);
    }
}
