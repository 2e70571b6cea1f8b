using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FastLayers.Cli;
using FastLayers.Cli.Bench;
using FastLayers.Kernels.Simd;

namespace FastLayers.Benchmarks.Gate;

/// <summary>The verb <c>gate</c>.</summary>
internal static class GateCommand
{
    private const float DefaultTolerance = 0.1f;
    private const int DefaultRuns = 5;

    public static Command Create()
    {
        var file = new Option<string>("--baseline") { Description = "The file of baselines.", DefaultValueFactory = _ => "perf/baseline.json" };
        var runs = CommonOptions.Number("--runs", "-r", "Runs; each measures the limits and every operation.", DefaultRuns, "a whole number from 1", n => n >= 1);
        var tolerance = CommonOptions.Real("--tolerance", "The part by which a median may be below that of the baseline.", DefaultTolerance, "a number from 0 to 1", value => value is >= 0 and < 1);
        var update = new Option<bool>("--update") { Description = "Write what is measured as the baseline of this processor." };
        var command = new Command("gate", "Compare shares of the limits with a committed baseline; exit code 1 if one dropped beyond noise.") { file, runs, tolerance, update };
        command.SetAction(async (result, cancellation) =>
        {
            string path = result.GetValue(file)!;
            var known = File.Exists(path) ? Read(path) : new GateFile([]);
            string processor = $"{Machine.Processor()}, {(int)SimdDispatch.Level} bit";
            var baseline = known.Baselines.FirstOrDefault(b => b.Processor == processor);
            if (baseline is null && !result.GetValue(update)) throw new InvalidOperationException($"{path} has no baseline for '{processor}'; write one with --update.");
            var measured = await ProgressBar.RunAsync("Measuring", quiet: false, progress => GateMeasurement.Run(result.GetValue(runs), progress, cancellation)).ConfigureAwait(false);
            var rows = GateComparison.Compare(baseline?.Shares ?? [], measured, result.GetValue(tolerance));
            Console.Out.Write(Table(rows).ToAligned());
            if (!result.GetValue(update)) return GateComparison.Fails(rows) ? ExitCode.Failure : ExitCode.Success;
            var written = known.With(new GateBaseline(processor, DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), Rounded(measured)));
            await File.WriteAllTextAsync(path, JsonSerializer.Serialize(written, GateJson.Default.GateFile) + "\n", cancellation).ConfigureAwait(false);
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Reads the file.</summary>
    /// <exception cref="InvalidDataException">It is not one of baselines.</exception>
    internal static GateFile Read(string path)
    {
        try
        {
            var file = JsonSerializer.Deserialize(File.ReadAllText(path), GateJson.Default.GateFile);
            return file?.Baselines is { } all && all.All(b => b is { Processor: not null, Shares: not null } && b.Shares.Values.All(share => share is not null)) ? file : throw new InvalidDataException($"{path}: expected baselines with a processor and shares.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{path} is not a file of baselines: {exception.Message}", exception);
        }
    }

    internal static TextTable Table(IEnumerable<GateRow> rows)
    {
        var table = new TextTable("operation", "baseline %", "now %", "low", "high", "verdict");
        foreach (var row in rows)
            table.Add(row.Name, Percent(row.Baseline?.Median), Percent(row.Measured?.Median), Percent(row.Measured?.Low), Percent(row.Measured?.High), row.Verdict.ToString().ToLowerInvariant());
        return table;
    }

    private static SortedDictionary<string, GateShare> Rounded(SortedDictionary<string, GateShare> shares) =>
        new(shares.ToDictionary(pair => pair.Key, pair => new GateShare(Math.Round(pair.Value.Median, 4), Math.Round(pair.Value.Low, 4), Math.Round(pair.Value.High, 4))), StringComparer.Ordinal);

    private static string Percent(double? share) => share is { } value ? (100 * value).ToString("f1", CultureInfo.InvariantCulture) : "-";
}
