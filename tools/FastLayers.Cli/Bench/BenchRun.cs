using System.Diagnostics;

namespace FastLayers.Cli.Bench;

/// <summary>A case and the samples of each engine, in the order of the repetitions.</summary>
internal sealed record BenchRow(BenchCase Case, IReadOnlyList<IReadOnlyList<BenchSample>> Samples);

/// <summary>Measures cases, the engines taking turns so that what else the machine does meets them alike.</summary>
internal static class BenchRun
{
    /// <summary>
    /// A case is repeated unmeasured for at least so long: the runtime replaces methods by their optimized form a moment after they were called
    /// often.
    /// </summary>
    private static readonly TimeSpan s_leastWarmUp = TimeSpan.FromMilliseconds(300);

    /// <summary>Runs every case on every engine.</summary>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static IReadOnlyList<BenchRow> Run(IReadOnlyList<IBenchEngine> engines, IReadOnlyList<BenchCase> cases, int repetitions, IProgress<double>? progress, CancellationToken cancellation)
    {
        var rows = new List<BenchRow>(cases.Count);
        double steps = cases.Count * engines.Count * (repetitions + 1.0);
        int done = 0;
        foreach (var work in cases)
        {
            foreach (var engine in engines)
            {
                long start = Stopwatch.GetTimestamp();
                do engine.Run(work, cancellation);
                while (Stopwatch.GetElapsedTime(start) < s_leastWarmUp);
                progress?.Report(++done / steps);
            }

            List<BenchSample>[] samples = [.. engines.Select(_ => new List<BenchSample>())];
            for (int repetition = 0; repetition < repetitions; repetition++)
            {
                for (int turn = 0; turn < engines.Count; turn++)
                {
                    // Who goes first changes, so that neither always runs on what the other left in the caches.
                    int engine = repetition % 2 == 0 ? turn : engines.Count - 1 - turn;
                    samples[engine].Add(engines[engine].Run(work, cancellation));
                    progress?.Report(++done / steps);
                }
            }

            rows.Add(new BenchRow(work, samples));
        }

        return rows;
    }
}
