using FastLayers.Cli.Bench;

namespace FastLayers.Cli.Tests;

/// <summary>How repetitions are ordered, summed up and ended.</summary>
public class BenchRunTests
{
    private static readonly BenchCase s_case = new(BenchKind.Decode, 4, 8, 2);

    [Fact]
    public void Engines_take_turns_after_each_was_warmed_up()
    {
        var order = new List<string>();
        var row = Assert.Single(BenchRun.Run([new Scripted("a", order, 1), new Scripted("b", order, 3)], [s_case], 3, null, CancellationToken.None));

        Assert.Equal(["a", "b", "b", "a", "a", "b"], order.TakeLast(6));
        Assert.Contains("a", order.SkipLast(6));
        Assert.Equal(order.SkipLast(6).Order(), order.SkipLast(6));
        Assert.All(row.Samples, samples => Assert.Equal(3, samples.Count));
        Assert.Equal(3, BenchSummary.Ratio(row));
        Assert.Equal(2, BenchSummary.CpuRatio(row));
    }

    [Fact]
    public void A_summary_holds_the_middle_and_the_extremes()
    {
        BenchSample[] samples = [new(4, 6), new(1, 2), new(2, 8), new(8, 4)];
        Assert.Equal(new BenchSummary(3, 1, 8, 3, 5), BenchSummary.Of(s_case, samples));
        Assert.Equal(2, BenchSummary.MedianOf([5, 1, 2]));
    }

    [Fact]
    public void Progress_ends_at_one()
    {
        double last = 0;
        BenchRun.Run([new Scripted("a", [], 1)], [s_case, s_case], 2, new Reported(value => last = value), CancellationToken.None);
        Assert.Equal(1, last);
    }

    [Fact]
    public void Cancellation_ends_a_run_and_leaves_the_device_without_a_profile()
    {
        using var model = Model.Load(CommandProcess.Sample);
        using var engine = new ModelEngine(model, new SessionOptions { ContextLength = 16, SequenceCount = 2 }, 1);
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => BenchRun.Run([engine], [s_case], int.MaxValue - 1, new Reported(_ => cancellation.Cancel()), cancellation.Token));
        Assert.Throws<OperationCanceledException>(() => engine.Run(s_case, new DeviceProfile(), cancellation.Token));
        Assert.Null(model.Device.Profile);
        Assert.True(engine.Run(s_case, CancellationToken.None).WallSeconds > 0);
    }

    private sealed class Scripted(string name, List<string> order, double seconds) : IBenchEngine
    {
        public string Name => name;

        public BenchSample Run(BenchCase work, CancellationToken cancellation)
        {
            order.Add(name);
            Thread.Sleep(20);
            return new BenchSample(seconds, 1 + seconds);
        }

        public void Dispose()
        {
        }
    }

    private sealed class Reported(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
