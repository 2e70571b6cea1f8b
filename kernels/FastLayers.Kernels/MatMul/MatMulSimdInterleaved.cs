using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// Matrix product of interleaved rows (<see cref="InterleavedLayout"/>): the same numbers as those of <see cref="MatMulSimdInt8"/>, or of
/// <see cref="MatMulSimdFloat"/> for a float format, up to the order of float sums, and several times as fast.
/// </summary>
public static unsafe class MatMulSimdInterleaved
{
    /// <summary>Matrices of a group at most: more than a layer multiplies its input with.</summary>
    public const int LargestGroup = InterleavedGroup.Capacity;

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
        Run(pool, layout, new ReadOnlySpan<MatMulArguments>(in arguments), memory);
    }

    /// <summary>Arranges activations once and computes their products with up to <see cref="LargestGroup"/> matrices together.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="group">The operands; the weights are interleaved in the layouts of their formats, and all have the same activations.</param>
    /// <param name="memory">At least <see cref="InterleavedLayout.ActivationBytes"/> bytes, 64-byte aligned.</param>
    /// <exception cref="ArgumentException">
    /// The group is empty or too large, a size is negative, a weight row is not whole blocks, a format has no layout, the activations are not the
    /// same, or some formats round them (<see cref="InterleavedLayout.RoundsActivations"/>) and others do not.
    /// </exception>
    public static void Multiply(WorkerPool pool, ReadOnlySpan<MatMulArguments> group, byte* memory)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (group.Length is < 1 or > LargestGroup) throw new ArgumentException($"{nameof(MatMulSimdInterleaved)}: expected 1 to {LargestGroup} products, found {group.Length}.", nameof(group));
        ref readonly var first = ref group[0];
        InterleavedLayout? layout = null;
        foreach (ref readonly var arguments in group)
        {
            arguments.Check(nameof(MatMulSimdInterleaved));
            var own = InterleavedLayout.For(arguments.Format) ?? throw new ArgumentException($"{nameof(MatMulSimdInterleaved)}: {arguments.Format.Name} has no interleaved layout on this processor.", nameof(group));
            layout ??= own;
            if (arguments.Input != first.Input || arguments.Rows != first.Rows || arguments.Columns != first.Columns || own.RoundsActivations != layout.RoundsActivations)
                throw new ArgumentException($"{nameof(MatMulSimdInterleaved)}: the products of a group have the same activations, at the same precision.", nameof(group));
        }

        Run(pool, layout!, group, memory);
    }

    private static void Run(WorkerPool pool, InterleavedLayout layout, ReadOnlySpan<MatMulArguments> group, byte* memory)
    {
        ref readonly var first = ref group[0];
        layout.Arrange(pool, first.Input, first.Rows, first.Columns, memory);
        MultiplyArranged(pool, group, memory);
    }

    /// <summary>The products alone, of activations that were arranged before.</summary>
    internal static void MultiplyArranged(WorkerPool pool, ReadOnlySpan<MatMulArguments> group, byte* memory)
    {
        var work = new InterleavedGroup(pool, group, memory);
        pool.Run(work, work.Tiles);
    }
}
