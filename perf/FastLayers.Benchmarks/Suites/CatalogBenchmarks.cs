using BenchmarkDotNet.Attributes;
using FastLayers.Kernels.Catalog;

namespace FastLayers.Benchmarks.Suites;

/// <summary>An operation at a shape on the chosen device.</summary>
public sealed class CatalogCase(KernelOperation operation, KernelShape shape) : IMeasuredWork
{
    /// <summary>The operation.</summary>
    public KernelOperation Operation => operation;

    /// <summary>Its sizes.</summary>
    public KernelShape Shape => shape;

    /// <inheritdoc/>
    public double Bytes => operation.BytesMoved(shape);

    /// <inheritdoc/>
    public double Operations => operation.OperationCount(shape);

    /// <inheritdoc/>
    public double? LeastSeconds => MeasuredLimits.Of(Selection.Runner).LeastSeconds(Bytes, Operations, operation.Arithmetic);

    /// <inheritdoc/>
    public override string ToString() => $"{operation.Name} {shape}";
}

/// <summary>
/// Every operation of the catalog at its measured shapes, on one thread of the processor or on another device, whose buffers a run moves too.
/// Where their data stays in caches, there is a share of the limit only if that is computing.
/// </summary>
public class CatalogBenchmarks
{
    private const ulong Seed = 1;
    private KernelArguments? _arguments;

    /// <summary>The operations whose names start as <c>--op</c> says.</summary>
    public static IEnumerable<CatalogCase> Cases =>
        from operation in Kernels.KernelCatalog.Operations
        where Selection.Matches(operation.Name) && Selection.Runner.ReasonToSkip(operation) is null
        from shape in operation.MeasuredShapes
        select new CatalogCase(operation, shape);

    /// <summary>The one that is measured.</summary>
    [ParamsSource(nameof(Cases))]
    public CatalogCase Case { get; set; } = null!;

    /// <summary>Fills the buffers.</summary>
    [GlobalSetup]
    public void Prepare() => _arguments = Case.Operation.Prepare(Case.Shape, Seed);

    /// <summary>Runs it once.</summary>
    [Benchmark]
    public void Operation() => Selection.Runner.Run(Case.Operation, _arguments!);
}
