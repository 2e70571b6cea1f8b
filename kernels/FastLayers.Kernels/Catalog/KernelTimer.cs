using System.Diagnostics;

namespace FastLayers.Kernels.Catalog;

/// <summary>Times something short: in batches long enough for the clock, the median of several.</summary>
public static class KernelTimer
{
    private const int LeastSamples = 5;
    private const int CallsBeforeOptimizing = 32;
    private const int WarmUpRounds = 2;
    private static readonly TimeSpan s_longestRound = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_optimizingDelay = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan s_leastBatch = TimeSpan.FromMilliseconds(2);

    /// <summary>Seconds that one run takes.</summary>
    /// <param name="run">Runs it so many times and returns when all are done.</param>
    /// <param name="budget">Time to spend, after warming up; at least five samples are taken anyway.</param>
    public static double Measure(Action<int> run, TimeSpan budget)
    {
        ArgumentNullException.ThrowIfNull(run);
        WarmUp(run);
        int count = 1;
        while (Time(run, count) < s_leastBatch.TotalSeconds && count < 1 << 20) count *= 2;

        var samples = new List<double>();
        var total = Stopwatch.StartNew();
        while (samples.Count < LeastSamples || total.Elapsed < budget) samples.Add(Time(run, count) / count);
        samples.Sort();
        return samples[samples.Count / 2];
    }

    /// <summary>
    /// The runtime replaces a method by its optimized form a moment after its thirtieth call, and loops in methods that are called rarely later
    /// still: without this, what is measured is the compiler's first attempt.
    /// </summary>
    private static void WarmUp(Action<int> run)
    {
        for (int round = 0; round < WarmUpRounds; round++)
        {
            var watch = Stopwatch.StartNew();
            for (int i = 0; i < CallsBeforeOptimizing && watch.Elapsed < s_longestRound; i++) run(1);
            Thread.Sleep(s_optimizingDelay);
        }
    }

    private static double Time(Action<int> run, int count)
    {
        var watch = Stopwatch.StartNew();
        run(count);
        return watch.Elapsed.TotalSeconds;
    }
}
