using System.Diagnostics;
using FastLayers.Benchmarks.Gate;

namespace FastLayers.Benchmarks.Tests;

/// <summary>Measuring work and its limit in turns.</summary>
public sealed class PairedShareTests
{
    private static readonly TimeSpan s_while = TimeSpan.FromMilliseconds(10);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 0.5)]
    [InlineData(4, 0.25)]
    public void Work_that_takes_longer_has_a_smaller_share(int times, double expected)
    {
        double share = PairedShare.Measure(() => Wait(1), 100, () => Wait(times), 100);
        Assert.InRange(share, expected * 0.75, expected * 1.25);
    }

    [Fact]
    public void Amounts_count() => Assert.InRange(PairedShare.Measure(() => Wait(1), 100, () => Wait(1), 50), 0.375, 0.625);

    private static void Wait(int times)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < times * s_while) Thread.SpinWait(10);
    }
}
