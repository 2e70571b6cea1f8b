using System.Globalization;

namespace FastLayers.Cli.Bench;

/// <summary>How results are written.</summary>
internal enum BenchFormat
{
    Table,
    Json,
    Csv,
    Markdown,
}

/// <summary>What was measured, and its forms.</summary>
internal sealed record BenchReport(BenchSetup Setup, IReadOnlyList<BenchRow> Rows, IReadOnlyList<OperationShares> Profiles)
{
    /// <summary>Writes the report to the standard output.</summary>
    public void Write(BenchFormat format)
    {
        switch (format)
        {
            case BenchFormat.Json:
                JsonOutput.Write(ToJson());
                break;
            case BenchFormat.Csv:
                Console.Out.Write(Cases().ToCsv());
                foreach (var profile in Profiles) Console.Out.Write("\n" + Operations(profile).ToCsv());
                break;
            case BenchFormat.Markdown:
                Console.Out.WriteLine(Setup + "\n");
                Console.Out.Write(Cases().ToMarkdown());
                foreach (var profile in Profiles) Console.Out.Write($"\n{Title(profile)}\n\n{Operations(profile).ToMarkdown()}\n{Sum(profile)}\n");
                break;
            default:
                Console.Out.WriteLine(Setup);
                Console.Out.Write(Cases().ToAligned());
                foreach (var profile in Profiles) Console.Out.Write($"\n{Title(profile)}\n{Operations(profile).ToAligned()}{Sum(profile)}\n");
                break;
        }
    }

    private TextTable Cases()
    {
        string[] measured = ["tokens/s", "min", "max", "wall ms", "cpu ms"];
        string[] header = ["case", "tokens", "depth", "batch", .. measured];
        if (Setup.PeerName is not null) header = [.. header, .. measured.Select(name => $"peer {name}"), "ratio", "cpu ratio"];
        var table = new TextTable(header);
        foreach (var row in Rows)
        {
            string[] cells = [row.Case.Label, Text(row.Case.Tokens), Text(row.Case.Depth), Text(row.Case.Batch)];
            foreach (var samples in row.Samples)
            {
                var summary = BenchSummary.Of(row.Case, samples);
                cells = [.. cells, Rate(summary.Median), Rate(summary.Least), Rate(summary.Most), Milliseconds(summary.WallSeconds), Milliseconds(summary.CpuSeconds)];
            }

            table.Add(Setup.PeerName is null ? cells : [.. cells, Text(BenchSummary.Ratio(row), "f2"), Text(BenchSummary.CpuRatio(row), "f2")]);
        }

        return table;
    }

    private static TextTable Operations(OperationShares profile)
    {
        var table = new TextTable("operation", "calls", "ms", "share %");
        foreach (var operation in profile.Operations)
            table.Add(operation.Operation, Text(operation.Calls, "0.##"), Text(1e3 * operation.Seconds, "f3"), Text(100 * operation.Share, "f1"));
        table.Add("total", "", Text(1e3 * profile.PassSeconds, "f3"), "100.0");
        return table;
    }

    private static string Title(OperationShares profile) =>
        string.Create(CultureInfo.InvariantCulture, $"One pass of {profile.Case.KindName}, depth {profile.Case.Depth}, {(profile.Case.Kind == BenchKind.Decode ? profile.Case.Batch : profile.Case.Tokens)} rows");

    private static string Sum(OperationShares profile) => string.Create(CultureInfo.InvariantCulture, $"matrix products and attention: {100 * profile.MatMulAndAttention:f1} %");

    private BenchOutput ToJson() => new(
        Setup.Model, Setup.Device, Setup.Threads, Setup.Activations, Setup.CacheKeys, Setup.CacheValues, Setup.Seed, Setup.Repetitions, Setup.PeerName, Setup.PeerDescription,
        [.. Rows.Select(row => new BenchCaseOutput(
            row.Case.KindName, row.Case.Tokens, row.Case.Depth, row.Case.Batch, Measured(row, 0),
            Setup.PeerName is null ? null : Measured(row, 1), Setup.PeerName is null ? null : BenchSummary.Ratio(row), Setup.PeerName is null ? null : BenchSummary.CpuRatio(row), row.Case.PeerBlock))],
        [.. Profiles.Select(profile => new BenchProfileOutput(
            profile.Case.KindName, profile.Case.Tokens, profile.Case.Depth, profile.Case.Batch, profile.PassSeconds,
            [.. profile.Operations.Select(o => new BenchOperationOutput(o.Operation, o.Calls, o.Seconds, o.Share))], profile.MatMulAndAttention))]);

    private static BenchMeasuredOutput Measured(BenchRow row, int engine)
    {
        var summary = BenchSummary.Of(row.Case, row.Samples[engine]);
        return new(summary.Median, summary.Least, summary.Most, summary.WallSeconds, summary.CpuSeconds);
    }

    private static string Text(double value, string format = "0") => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Three digits at least, so that slow cases can be told apart too.</summary>
    private static string Rate(double value) => Text(value, value < 100 ? "f2" : "f1");

    private static string Milliseconds(double seconds) => Text(1e3 * seconds, seconds < 0.1 ? "f2" : "f0");
}

/// <summary>What all cases have in common.</summary>
internal sealed record BenchSetup(string Model, string Device, int Threads, string Activations, string? CacheKeys, string? CacheValues, int Seed, int Repetitions, string? PeerName, string? PeerDescription)
{
    public override string ToString()
    {
        string own = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(Model)} on {Device}; activations {Activations}{(CacheKeys is null ? "" : $", cache {CacheKeys}/{CacheValues}")}, {Repetitions} repetitions, seed {Seed}");
        return PeerDescription is null ? own : $"{own}; beside {PeerDescription}";
    }
}
