using System.Globalization;

namespace FastLayers.Cli.Bench;

/// <summary>Products of matrices beside a peer that runs no models.</summary>
internal static class MatMulComparison
{
    /// <summary>Values that share a scale of the peer.</summary>
    private static readonly int[] s_blocks = [32, 128];

    /// <summary>A prompt's rows with one matrix, a token's with matrices from memory, each beside both lengths of the peer's blocks.</summary>
    /// <param name="prompt">Rows of a prompt; 0 leaves them out.</param>
    /// <param name="hasDecode">Whether a single row is measured.</param>
    public static IReadOnlyList<BenchCase> Cases(int prompt, bool hasDecode)
    {
        var sizes = new List<(int Rows, int Matrices)>();
        if (prompt > 0) sizes.Add((prompt, 1));
        if (hasDecode) sizes.Add((1, MatMulProducts.MatrixCount(MatMulEngine.WeightFormat)));
        return [.. from size in sizes from block in s_blocks select new BenchCase(BenchKind.MatMul, size.Rows, 0, size.Matrices) { PeerBlock = block }];
    }

    /// <summary>Measures the cases. The peer gets the bytes of the matrix that FastLayers multiplies with.</summary>
    /// <exception cref="InvalidOperationException">The peer cannot be started, or its results are not those of the matrix.</exception>
    public static BenchReport Run(IReadOnlyList<BenchCase> cases, int threads, int repetitions, int seed, string peer, string program, IProgress<double>? progress, CancellationToken cancellation)
    {
        int workers = threads == 0 ? Environment.ProcessorCount : threads;
        byte[] weights = MatMulProducts.Weights(MatMulEngine.WeightFormat, seed);
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, weights);
            using var own = new MatMulEngine(weights, workers);
            using var other = PeerEngine.Start(peer, program, ["--weights", file, "--size", Text(MatMulProducts.Size), "--threads", Text(workers)], cancellation);
            using var device = new CpuDevice(workers);
            var setup = new BenchSetup($"products with {MatMulEngine.WeightFormat.Name} [{MatMulProducts.Size}, {MatMulProducts.Size}]", device.Description, workers, "int8", null, null, seed, repetitions, peer, other.Description);
            return new BenchReport(setup, BenchRun.Run([own, other], cases, repetitions, progress, cancellation), []);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
