using FastLayers.Benchmarks.Gate;

namespace FastLayers.Benchmarks.Tests;

/// <summary>What the regression gate decides, without measuring.</summary>
public sealed class GateComparisonTests
{
    [Theory]
    [InlineData(0.50, 0.45, 0.55, nameof(GateVerdict.Same))]
    [InlineData(0.40, 0.30, 0.44, nameof(GateVerdict.Slower))]
    [InlineData(0.40, 0.30, 0.47, nameof(GateVerdict.Same))]
    [InlineData(0.60, 0.56, 0.70, nameof(GateVerdict.Faster))]
    public void A_difference_counts_where_runs_do_not_overlap(double median, double low, double high, string expected)
    {
        var row = Assert.Single(GateComparison.Compare(Shares(0.50, 0.45, 0.55), Shares(median, low, high), 0.1));
        Assert.Equal(expected, row.Verdict.ToString());
        Assert.Equal(expected == nameof(GateVerdict.Slower), GateComparison.Fails([row]));
    }

    [Fact]
    public void A_disturbed_run_counts_for_nothing()
    {
        Assert.Equal(new GateShare(0.5, 0.49, 0.51), GateShare.Of([0.49, 0.03, 0.5, 1.4, 0.51]));
        Assert.Equal(new GateShare(0.4, 0.4, 0.4), GateShare.Of([0.4]));
    }

    [Fact]
    public void A_lost_operation_fails_and_a_new_one_does_not()
    {
        var shares = Shares(0.5, 0.5, 0.5);
        var none = new Dictionary<string, GateShare>();
        Assert.True(GateComparison.Fails(GateComparison.Compare(shares, none, 0.1)));
        Assert.False(GateComparison.Fails(GateComparison.Compare(none, shares, 0.1)));
    }

    [Fact]
    public void An_update_keeps_the_baselines_of_other_processors()
    {
        var file = new GateFile([]).With(new("b", "1", [])).With(new("a", "1", [])).With(new("b", "2", []));
        Assert.Equal(["a 1", "b 2"], file.Baselines.Select(b => $"{b.Processor} {b.Date}"));
    }

    private static Dictionary<string, GateShare> Shares(double median, double low, double high) => new() { ["operation"] = new(median, low, high) };
}
