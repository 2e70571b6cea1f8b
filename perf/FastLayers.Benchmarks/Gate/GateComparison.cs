using System.Text.Json.Serialization;

namespace FastLayers.Benchmarks.Gate;

/// <summary>The share of the limit that some runs reached: the median and the quartiles, which a run that something else disturbed does not move.</summary>
internal sealed record GateShare(double Median, double Low, double High)
{
    public static GateShare Of(IEnumerable<double> shares)
    {
        double[] sorted = [.. shares.Order()];
        int quarter = sorted.Length / 4;
        return new(Cli.Bench.BenchSummary.MedianOf(sorted), sorted[quarter], sorted[^(quarter + 1)]);
    }
}

/// <summary>What one processor reached.</summary>
internal sealed record GateBaseline(string Processor, string Date, SortedDictionary<string, GateShare> Shares);

/// <summary>The committed file: baselines by processor, since shares of one say nothing about another.</summary>
internal sealed record GateFile(IReadOnlyList<GateBaseline> Baselines)
{
    /// <summary>The same with one baseline in place of the last one for its processor.</summary>
    public GateFile With(GateBaseline baseline) => new([.. Baselines.Where(other => other.Processor != baseline.Processor).Append(baseline).OrderBy(b => b.Processor, StringComparer.Ordinal)]);
}

internal enum GateVerdict
{
    Same,
    Faster,
    Slower,

    /// <summary>In the baseline, not measured any more.</summary>
    Missing,

    /// <summary>Measured, not in the baseline.</summary>
    New,
}

internal sealed record GateRow(string Name, GateShare? Baseline, GateShare? Measured, GateVerdict Verdict);

/// <summary>Decides what is beyond noise.</summary>
internal static class GateComparison
{
    /// <summary>A row a name of either side.</summary>
    /// <param name="baseline">What was reached before.</param>
    /// <param name="measured">What is reached now.</param>
    /// <param name="tolerance">The part by which medians may differ.</param>
    public static IReadOnlyList<GateRow> Compare(IReadOnlyDictionary<string, GateShare> baseline, IReadOnlyDictionary<string, GateShare> measured, double tolerance) =>
        [.. baseline.Keys.Union(measured.Keys).Order(StringComparer.Ordinal).Select(name =>
        {
            var before = baseline.GetValueOrDefault(name);
            var now = measured.GetValueOrDefault(name);
            return new GateRow(name, before, now, Decide(before, now, tolerance));
        })];

    /// <summary>Whether the gate closes.</summary>
    public static bool Fails(IEnumerable<GateRow> rows) => rows.Any(row => row.Verdict is GateVerdict.Slower or GateVerdict.Missing);

    /// <summary>Medians further apart than the tolerance, and the middle halves of the runs do not overlap.</summary>
    private static GateVerdict Decide(GateShare? before, GateShare? now, double tolerance) => (before, now) switch
    {
        (_, null) => GateVerdict.Missing,
        (null, _) => GateVerdict.New,
        _ when now.Median < before.Median * (1 - tolerance) && now.High < before.Low => GateVerdict.Slower,
        _ when now.Median > before.Median * (1 + tolerance) && now.Low > before.High => GateVerdict.Faster,
        _ => GateVerdict.Same,
    };
}

/// <summary>The file as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(GateFile))]
internal sealed partial class GateJson : JsonSerializerContext;
