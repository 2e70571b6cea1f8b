using FastLayers.Cli;
using ScottPlot;

namespace FastLayers.Benchmarks.Report;

/// <summary>The pictures of the report, as SVG.</summary>
internal static class ReportPlots
{
    private const int Width = 900;
    private const int Height = 450;

    /// <summary>Bars of decode, one pair a format.</summary>
    public static void Comparison(PerformanceReport report, string path)
    {
        using var plot = new Plot();
        foreach (bool isPeer in (bool[])[false, true])
        {
            var bars = report.Entries.SelectMany((entry, index) => entry.Bench.Cases
                .Where(work => work.Kind == "decode" && (!isPeer || work.Peer is not null))
                .Select(work => new Bar { Position = (3 * index) + (isPeer ? 1 : 0), Value = (isPeer ? work.Peer! : work.Measured).TokensPerSecond })).ToArray();
            if (bars.Length == 0) continue;
            plot.Add.Bars(bars).LegendText = isPeer ? report.Entries[0].Bench.Peer ?? "peer" : "FastLayers";
        }

        plot.Axes.Bottom.SetTicks([.. report.Entries.Select((_, index) => (3 * index) + 0.5)], [.. report.Entries.Select(entry => entry.Format)]);
        plot.Axes.Margins(bottom: 0);
        plot.YLabel("decode, tokens a second");
        plot.ShowLegend(Alignment.UpperRight);
        plot.SaveSvg(path, Width, Height);
    }

    /// <summary>Operations a second over operations a byte, both as logarithms, under the measured roofs.</summary>
    public static void Roofline(PerformanceReport report, string path)
    {
        using var plot = new Plot();
        double[] intensities = [.. Enumerable.Range(-4, 65).Select(step => Math.Pow(2, step / 4.0))];
        foreach (var (name, rate) in (IEnumerable<(string, double)>)[("float", report.Limits.OperationsPerSecond), ("int8", report.Limits.RateOf(Kernels.Catalog.KernelArithmetic.Int8))])
        {
            var roof = plot.Add.ScatterLine(intensities.Select(Math.Log10).ToArray(), intensities.Select(intensity => Math.Log10(Math.Min(intensity * report.Limits.MostBytesPerSecond, rate) / 1e9)).ToArray());
            roof.LegendText = name;
        }

        foreach (bool isPeer in (bool[])[false, true])
        {
            var points = report.Entries.SelectMany(entry => entry.Bench.Cases.Where(work => !isPeer || work.Peer is not null).Select(work => Point(entry, work, isPeer))).ToArray();
            if (points.Length == 0) continue;
            var marks = plot.Add.ScatterPoints(points.Select(p => p.X).ToArray(), points.Select(p => p.Y).ToArray());
            marks.LegendText = isPeer ? report.Entries[0].Bench.Peer ?? "peer" : "FastLayers";
        }

        plot.XLabel("operations a byte of weights, log10");
        plot.YLabel("Gop/s, log10");
        plot.ShowLegend(Alignment.LowerRight);
        plot.SaveSvg(path, Width, Height);
    }

    /// <summary>A prompt reads the weights once in each pass of at most 512 tokens, a decoded token once.</summary>
    private static (double X, double Y) Point(ReportEntry entry, BenchCaseOutput work, bool isPeer)
    {
        const double PassLength = 512;
        double perPass = work.Kind == "decode" ? work.Batch : work.Tokens / Math.Ceiling(work.Tokens / PassLength);
        double rate = (isPeer ? work.Peer! : work.Measured).TokensPerSecond;
        return (Math.Log10(2 * entry.Weights * perPass / entry.WeightBytes), Math.Log10(2 * entry.Weights * rate / 1e9));
    }
}
