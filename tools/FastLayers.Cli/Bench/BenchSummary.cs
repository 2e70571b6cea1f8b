namespace FastLayers.Cli.Bench;

/// <summary>The repetitions of one engine in numbers.</summary>
/// <param name="Median">Tokens a second, the median of the repetitions.</param>
/// <param name="Least">Tokens a second of the slowest repetition.</param>
/// <param name="Most">Tokens a second of the fastest.</param>
/// <param name="WallSeconds">Median seconds on the clock.</param>
/// <param name="CpuSeconds">Median seconds of all threads.</param>
internal sealed record BenchSummary(double Median, double Least, double Most, double WallSeconds, double CpuSeconds)
{
    public static BenchSummary Of(BenchCase work, IReadOnlyList<BenchSample> samples)
    {
        double[] rates = [.. samples.Select(sample => work.TokenCount / sample.WallSeconds)];
        return new(MedianOf(rates), rates.Min(), rates.Max(), MedianOf(samples.Select(s => s.WallSeconds)), MedianOf(samples.Select(s => s.CpuSeconds)));
    }

    /// <summary>How many times as fast the first engine is as the second: the median over repetitions, whose two halves ran side by side.</summary>
    public static double Ratio(BenchRow row) => RatioOf(row, sample => sample.WallSeconds);

    /// <summary>
    /// The same in time that threads computed, which what else the machine does disturbs less. With several threads it holds the time that they
    /// wait for each other awake, so that it says most with one.
    /// </summary>
    public static double CpuRatio(BenchRow row) => RatioOf(row, sample => sample.CpuSeconds);

    /// <summary>The middle value, or the mean of the two in the middle.</summary>
    public static double MedianOf(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static double RatioOf(BenchRow row, Func<BenchSample, double> seconds) => MedianOf(row.Samples[0].Zip(row.Samples[1], (own, peer) => seconds(peer) / seconds(own)));
}
