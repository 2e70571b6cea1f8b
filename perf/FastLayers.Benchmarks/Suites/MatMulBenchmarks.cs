using BenchmarkDotNet.Attributes;
using FastLayers.Cli.Bench;

namespace FastLayers.Benchmarks.Suites;

/// <summary>Products of prepared matrices, between two measurements of their limit.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "BenchmarkDotNet calls the method of GlobalCleanup.")]
public abstract class MatMulBenchmarks
{
    private MatMulProducts? _products;

    /// <summary>What is measured; the classes say by which parameters.</summary>
    protected abstract MatMulWork Work { get; }

    /// <summary>Makes the matrices.</summary>
    [GlobalSetup]
    public void Prepare()
    {
        Work.MeasureLimit();
        _products = Work.Prepare();
    }

    /// <summary>Multiplies with all of them.</summary>
    [Benchmark]
    public void MatMul() => _products!.Run();

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Release()
    {
        _products!.Dispose();
        Work.MeasureLimit();
    }
}
