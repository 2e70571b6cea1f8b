using System.Diagnostics;
using FastLayers.Kernels.Formats;

namespace FastLayers.Cli.Bench;

/// <summary>Measures products with matrices in Q4_0 in this process, the rounding of activations included.</summary>
internal sealed class MatMulEngine(byte[] weights, int threads) : IBenchEngine
{
    private readonly Dictionary<(int Rows, int Matrices), MatMulProducts> _products = [];

    /// <summary>How the matrices are stored; blocks of 32 with a scale, as the peer's with blocks of 32 are.</summary>
    public static Format WeightFormat => Format.Q4_0;

    /// <inheritdoc/>
    public string Name => "FastLayers";

    /// <inheritdoc/>
    public BenchSample Run(BenchCase work, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (!_products.TryGetValue((work.Tokens, work.Batch), out var products))
            products = _products[(work.Tokens, work.Batch)] = new MatMulProducts(weights, WeightFormat, work.Tokens, work.Batch, threads);
        var cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        products.Run();
        return new BenchSample(Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var products in _products.Values) products.Dispose();
    }
}
