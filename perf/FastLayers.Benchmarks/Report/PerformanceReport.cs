using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using FastLayers.Cli;
using FastLayers.Cli.Bench;
using FastLayers.Kernels.Catalog;

namespace FastLayers.Benchmarks.Report;

/// <summary>A format, what was measured with it, and what a pass of it asks for.</summary>
/// <param name="Format">Storage of the matrices.</param>
/// <param name="Bench">What <c>fastlayers bench</c> wrote.</param>
/// <param name="WeightBytes">Bytes of the matrices that a pass reads.</param>
/// <param name="Weights">Weights in them; each is multiplied and added once a token.</param>
internal sealed record ReportEntry(string Format, BenchOutput Bench, double WeightBytes, double Weights)
{
    /// <summary>Matrices are all tensors of two axes but the table of embeddings, of which a token reads a row.</summary>
    public static ReportEntry Of(string format, BenchOutput bench, InfoOutput info)
    {
        bool isTied = !info.Tensors.Any(tensor => tensor.Name == "output.weight");
        var matrices = info.Tensors.Where(tensor => tensor.Shape.Count >= 2 && (isTied || tensor.Name != "token_embd.weight")).ToArray();
        return new(format, bench, matrices.Sum(tensor => (double)tensor.Bytes), matrices.Sum(tensor => tensor.Shape.Aggregate(1.0, (product, size) => product * size)));
    }
}

/// <summary>The document.</summary>
internal sealed record PerformanceReport(string Shape, int Threads, DeviceLimits Limits, IReadOnlyList<ReportEntry> Entries)
{
    public const string ComparisonFile = "performance-comparison.svg";
    public const string RooflineFile = "performance-roofline.svg";

    /// <summary>Writes it; every number was measured in this run.</summary>
    public string ToMarkdown(DateTime date)
    {
        var text = new StringBuilder("# Performance\n\nWritten by `perf/run report`; do not edit.\n\n");
        void Line(FormattableString line) => text.Append(FormattableString.Invariant(line)).Append('\n');
        Line($"- Date: {date:yyyy-MM-dd}");
        Line($"- Processor: {Machine.Processor()}, {Threads} threads; {RuntimeInformation.OSDescription}");
        Line($"- FastLayers {Version}; {RuntimeInformation.FrameworkDescription}");
        if (Entries.Select(entry => entry.Bench.PeerDescription).OfType<string>().FirstOrDefault() is { } peer) Line($"- Beside: {peer}");
        Line($"- Models: random weights of shape {Shape}, all matrices in one format; {(Entries.Count > 0 ? Entries[0].Bench.Repetitions : 0)} repetitions, medians");
        text.Append("\n## Models\n\nTokens a second. *Of the limit*: decode as a share of what reading the weights at the measured rate would allow. *cpu ratio* is the ratio in computing time.\n\n");
        text.Append(Models().ToMarkdown());
        text.Append($"\n![Tokens a second]({ComparisonFile})\n\n## Roofline\n\nMeasured limits: {MeasurementOutput.LimitsLine($"{Threads} threads", Limits)}. ");
        text.Append($"Operations and bytes are those of the weights; the key/value cache is left out.\n\n![Roofline]({RooflineFile})\n");
        return text.ToString();
    }

    private static string Version => typeof(Model).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <summary>Tokens a second that reading the weights allows.</summary>
    internal double DecodeLimit(ReportEntry entry) => Limits.MostBytesPerSecond / entry.WeightBytes;

    private TextTable Models()
    {
        bool isCompared = Entries.Any(entry => entry.Bench.Peer is not null);
        string[] header = ["format", "case", "FastLayers", "min", "max", "of the limit %"];
        var table = new TextTable(isCompared ? [.. header, "peer", "peer min", "peer max", "ratio", "cpu ratio"] : header);
        foreach (var entry in Entries)
        {
            foreach (var work in entry.Bench.Cases)
            {
                string share = work.Kind == "decode" ? Text(100 * work.Measured.TokensPerSecond / DecodeLimit(entry)) : "-";
                string[] cells = [entry.Format, $"{work.Kind} {work.Tokens}", .. Rates(work.Measured), share];
                table.Add(isCompared ? [.. cells, .. Rates(work.Peer), Text(work.Ratio, "f2"), Text(work.CpuRatio, "f2")] : cells);
            }
        }

        return table;
    }

    private static string[] Rates(BenchMeasuredOutput? measured) => [Text(measured?.TokensPerSecond), Text(measured?.LeastTokensPerSecond), Text(measured?.MostTokensPerSecond)];

    private static string Text(double? value, string format = "f1") => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
