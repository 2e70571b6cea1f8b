using FastLayers.Benchmarks.Gate;

namespace FastLayers.Benchmarks.Tests;

/// <summary>Measuring work and its limit in turns, on a clock that the work itself moves on.</summary>
public sealed class PairedShareTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 4, 0.25)]
    [InlineData(0.01, 0.02, 0.5)]
    [InlineData(100, 1, 100)]
    public void Work_that_takes_longer_has_a_smaller_share(double limitMilliseconds, double workMilliseconds, double expected)
    {
        var clock = new Clock();
        Assert.Equal(expected, PairedShare.Measure(() => clock.Pass(limitMilliseconds), 100, () => clock.Pass(workMilliseconds), 100, clock), 1e-9);
        Assert.Equal(expected / 2, PairedShare.Measure(() => clock.Pass(limitMilliseconds), 100, () => clock.Pass(workMilliseconds), 50, clock), 1e-9);
    }

    [Fact]
    public void A_clock_that_slows_down_meets_both()
    {
        var clock = new Clock();
        int calls = 0;
        double Slower(double milliseconds) => milliseconds * (1 + (++calls * 1e-3));
        Assert.Equal(0.5, PairedShare.Measure(() => clock.Pass(Slower(10)), 100, () => clock.Pass(Slower(20)), 100, clock), 0.01);
    }

    private sealed class Clock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1_000_000_000;

        public override long GetTimestamp() => _now;

        public void Pass(double milliseconds) => _now += (long)(milliseconds * 1e6);
    }
}
