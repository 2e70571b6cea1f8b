using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Catalog;

/// <summary>
/// Everything that testing, validating and measuring an operation needs: the shapes to try, how buffers are filled, the definition, the CPU
/// kernel, how far results may lie apart, and what the operation costs. Other devices run the same entry on the same buffers through an
/// <see cref="IKernelRunner"/>.
/// </summary>
public sealed class KernelOperation
{
    /// <summary>The unique name: the class, and the variant after a dot.</summary>
    public required string Name { get; init; }

    /// <summary>The formula, as text.</summary>
    public required string Definition { get; init; }

    /// <summary>Shapes to try: one row, odd sizes, tails, nothing at all where allowed, and something large.</summary>
    public required IReadOnlyList<KernelShape> Shapes { get; init; }

    /// <summary>Shapes to measure: large enough that a device has something to do. The last of <see cref="Shapes"/> if none are given.</summary>
    public IReadOnlyList<KernelShape> MeasuredShapes
    {
        get => field ?? [Shapes[^1]];
        init;
    }

    /// <summary>
    /// The largest normalized mean square error, Σ(y - r)² / Σr², of a float output y against the double-precision result r. Integers must be
    /// equal.
    /// </summary>
    public required double Tolerance { get; init; }

    /// <summary>
    /// The size of what cancels or underflows in small results, or 0: the mean square of an output counts as no less than the square of this,
    /// since the last bit of a term of this size is the best that any sum can keep.
    /// </summary>
    public double Magnitude { get; init; }

    /// <summary>Where the tolerance comes from.</summary>
    public required string ToleranceReason { get; init; }

    /// <summary>Bytes that must be read and written at least.</summary>
    public required Func<KernelShape, long> BytesMoved { get; init; }

    /// <summary>Arithmetic operations; a multiplication and an addition count as two, an elementary function as one.</summary>
    public required Func<KernelShape, long> OperationCount { get; init; }

    /// <summary>The numbers that are multiplied, whose rate is the limit.</summary>
    public KernelArithmetic Arithmetic { get; init; }

    /// <summary>Adds the buffers for a shape and fills the inputs.</summary>
    public required Action<KernelArguments> Fill { get; init; }

    /// <summary>Runs the definition on all rows.</summary>
    public required Action<KernelArguments> Reference { get; init; }

    /// <summary>Runs the CPU kernel on all rows. Allocates nothing.</summary>
    public required Action<SimdLevel, KernelArguments> Simd { get; init; }

    /// <summary>Why the CPU kernel cannot run on this machine, or null if it can.</summary>
    public string? ReasonToSkip { get; init; }

    /// <summary>Buffers for one run.</summary>
    /// <param name="shape">One of <see cref="Shapes"/>, or another with the same sizes by name.</param>
    /// <param name="seed">Decides the content of the inputs.</param>
    public KernelArguments Prepare(KernelShape shape, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var arguments = new KernelArguments(shape, seed);
        Fill(arguments);
        return arguments;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
