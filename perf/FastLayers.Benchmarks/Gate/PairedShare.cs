using FastLayers.Cli.Bench;

namespace FastLayers.Benchmarks.Gate;

/// <summary>
/// Measures work and a limit in turns and compares neighbors, so that a slower clock or a busy machine meets both. What a mean over minutes
/// says about either does not enter.
/// </summary>
internal static class PairedShare
{
    private const int Pairs = 15;
    private const int WarmUpRounds = 2;
    private const int CallsBeforeOptimizing = 32;
    private static readonly TimeSpan s_batch = TimeSpan.FromMilliseconds(15);

    /// <summary>After thirty calls the runtime waits for so long before it replaces a method by its optimized form.</summary>
    private static readonly TimeSpan s_optimizing = TimeSpan.FromMilliseconds(150);

    /// <summary>The part of the limit's rate that the work reaches: the median over pairs.</summary>
    /// <param name="limit">Does the limit's amount once.</param>
    /// <param name="limitAmount">Bytes or operations of it.</param>
    /// <param name="work">Does the work once.</param>
    /// <param name="workAmount">The bytes or operations of the work.</param>
    /// <param name="clock">Tells the time; the system's if null.</param>
    public static double Measure(Action limit, double limitAmount, Action work, double workAmount, TimeProvider? clock = null)
    {
        clock ??= TimeProvider.System;
        int limitCount = Prepare(limit, clock), workCount = Prepare(work, clock);
        double[] shares = new double[Pairs];
        for (int pair = 0; pair < Pairs; pair++)
        {
            // Who goes first changes, as neither shall always find what the other left.
            double limitSeconds = pair % 2 == 0 ? Time(limit, limitCount, clock) : 0;
            double workSeconds = Time(work, workCount, clock);
            if (pair % 2 != 0) limitSeconds = Time(limit, limitCount, clock);
            shares[pair] = workAmount * workCount / workSeconds / (limitAmount * limitCount / limitSeconds);
        }

        return BenchSummary.MedianOf(shares);
    }

    /// <summary>Runs it until it is optimized.</summary>
    /// <returns>How often it has to run for a batch.</returns>
    private static int Prepare(Action run, TimeProvider clock)
    {
        for (int round = 0; round < WarmUpRounds; round++)
        {
            long start = clock.GetTimestamp();
            for (int i = 0; i < CallsBeforeOptimizing && clock.GetElapsedTime(start) < s_optimizing; i++) run();
            Thread.Sleep(s_optimizing);
        }

        int count = 1;
        while (Time(run, count, clock) < s_batch.TotalSeconds) count *= 2;
        return count;
    }

    private static double Time(Action run, int count, TimeProvider clock)
    {
        long start = clock.GetTimestamp();
        for (int i = 0; i < count; i++) run();
        return clock.GetElapsedTime(start).TotalSeconds;
    }
}
