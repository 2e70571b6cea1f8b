using FastLayers.Cli.Bench;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.MatMul;
using FastLayers.Kernels.Simd;

namespace FastLayers.Benchmarks.Suites;

/// <summary>Products of a format on some threads, and the limit beside which they are measured.</summary>
public sealed class MatMulWork : IMeasuredWork
{
    private readonly int _rows;
    private double _bestRate;

    private MatMulWork(Format format, int rows, int threads, CpuLimit limit)
    {
        Format = format;
        _rows = rows;
        Threads = threads;
        Limit = limit;
    }

    /// <summary>Storage of the weights.</summary>
    public Format Format { get; }

    /// <summary>Threads.</summary>
    public int Threads { get; }

    /// <summary>What the products are compared with.</summary>
    public CpuLimit Limit { get; }

    /// <inheritdoc/>
    public double Bytes { get; private set; }

    /// <inheritdoc/>
    public double Operations { get; private set; }

    /// <inheritdoc/>
    public double? LeastSeconds => Amount / _bestRate;

    private double Amount => Limit == CpuLimit.ReadFourStreams ? Bytes : Operations;

    /// <summary>One row of activations and matrices from memory, whose limit is to read them by four streams a thread.</summary>
    public static MatMulWork FromMemory(Format format, int threads) => new(format, 1, threads, CpuLimit.ReadFourStreams);

    /// <summary>Many rows of activations and one matrix, whose limit is multiplying: bytes where the activations are rounded to them, floats elsewhere.</summary>
    public static MatMulWork OfRows(Format format, int rows, int threads) => new(format, rows, threads, MatMulSimdInt8.Supports(format) ? CpuLimit.Int8MultiplyAdd : CpuLimit.FloatMultiplyAdd);

    /// <inheritdoc/>
    public override string ToString() => $"{Format.Name}{(_rows > 1 ? $", {_rows} rows" : "")}, {(Threads == 1 ? "1 thread" : $"{Threads} threads")}";

    /// <summary>Makes what is measured.</summary>
    internal MatMulProducts Prepare()
    {
        var products = new MatMulProducts(MatMulProducts.Weights(Format), Format, _rows, Limit == CpuLimit.ReadFourStreams ? MatMulProducts.MatrixCount(Format) : 1, Threads);
        Bytes = products.Bytes;
        Operations = products.Operations;
        return products;
    }

    /// <summary>
    /// Measures the limit; called on both sides of a benchmark. The better of the two counts: what else the machine does takes away, and never
    /// adds.
    /// </summary>
    internal void MeasureLimit()
    {
        using var limits = new CpuLimits(SimdDispatch.Level, Threads);
        double amount = Limit == CpuLimit.ReadFourStreams ? limits.Bytes(Limit) : limits.Operations(Limit);
        _bestRate = Math.Max(_bestRate, amount / limits.Measure(Limit));
    }
}
