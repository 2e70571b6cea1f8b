using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FastLayers.Cli;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Simd;

namespace FastLayers.Benchmarks.Report;

/// <summary>The verb <c>report</c>.</summary>
internal static class ReportCommand
{
    private static readonly string[] s_formats = ["q4_0", "q4_k", "q8_0", "q6_k", "f16", "q2_k", "tq2_0"];

    public static Command Create()
    {
        var shape = new Option<string>("--shape") { Description = "Shape of the models, as fastlayers synth takes it.", DefaultValueFactory = _ => "1.1b" };
        var formats = new Option<string[]>("--format") { Description = $"Formats of the weights; may be repeated. Default: {string.Join(", ", s_formats)}.", AllowMultipleArgumentsPerToken = true };
        var threads = CommonOptions.Number("--threads", "-t", "Threads.", Environment.ProcessorCount, "a whole number from 1 to 1024", n => n is >= 1 and <= 1024);
        var prompt = CommonOptions.Number("--prompt", "-p", "Tokens of a prefill.", 512, "a whole number from 1", n => n >= 1);
        var generate = CommonOptions.Number("--generate", "-n", "Tokens of a decode.", 64, "a whole number from 1", n => n >= 1);
        var repetitions = CommonOptions.Number("--repetitions", "-r", "Measured runs of each case.", 5, "a whole number from 1", n => n >= 1);
        var peer = new Option<string>("--peer") { Description = "The engine beside, or none.", DefaultValueFactory = _ => "llama.cpp" };
        var models = new Option<string>("--models") { Description = "Folder for the models; those that are there are used.", DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "fastlayers-models") };
        var output = new Option<string>("--out", "-o") { Description = "Folder for performance.md and its plots.", DefaultValueFactory = _ => "docs" };
        var command = new Command("report", "Measure models beside another engine and write docs/performance.md.") { shape, formats, threads, prompt, generate, repetitions, peer, models, output };
        command.SetAction(async (result, cancellation) =>
        {
            string folder = result.GetValue(models)!;
            Directory.CreateDirectory(folder);
            Directory.CreateDirectory(result.GetValue(output)!);
            int count = result.GetValue(threads);
            DeviceLimits limits = default;
            var entries = new List<ReportEntry>();
            foreach (string format in result.GetValue(formats) is { Length: > 0 } chosen ? chosen : s_formats)
            {
                string model = Path.Combine(folder, $"{string.Concat(result.GetValue(shape)!.Select(c => char.IsLetterOrDigit(c) || c is '.' or '-' ? c : '_'))}-{format}.gguf");
                if (!File.Exists(model))
                {
                    await RunAsync(["synth", "--shape", result.GetValue(shape)!, "--format", format, "--out", model + ".part"], cancellation).ConfigureAwait(false);
                    File.Move(model + ".part", model);
                }

                string[] arguments = ["bench", "--model", model, "--threads", Text(count), "--prompt", Text(result.GetValue(prompt)), "--generate", Text(result.GetValue(generate)), "--repetitions", Text(result.GetValue(repetitions)), "--json"];
                if (result.GetValue(peer) is { } name && name != "none") arguments = [.. arguments, "--peer", name];
                // Before every model, since what else the machine does changes; it takes away from limits and never adds.
                using (var measured = new CpuLimits(SimdDispatch.Level, count)) limits = Better(limits, measured.Measure());
                string bench = await RunAsync(arguments, cancellation).ConfigureAwait(false);
                string info = await RunAsync(["info", "--model", model, "--json"], cancellation).ConfigureAwait(false);
                entries.Add(ReportEntry.Of(format, JsonSerializer.Deserialize<BenchOutput>(bench, JsonOutput.Default.BenchOutput)!, JsonSerializer.Deserialize<InfoOutput>(info, JsonOutput.Default.InfoOutput)!));
                Console.Error.WriteLine($"{format} is measured.");
            }

            var report = new PerformanceReport(result.GetValue(shape)!, count, limits, entries);
            await File.WriteAllTextAsync(Path.Combine(result.GetValue(output)!, "performance.md"), report.ToMarkdown(DateTime.UtcNow), cancellation).ConfigureAwait(false);
            ReportPlots.Comparison(report, Path.Combine(result.GetValue(output)!, PerformanceReport.ComparisonFile));
            ReportPlots.Roofline(report, Path.Combine(result.GetValue(output)!, PerformanceReport.RooflineFile));
            return ExitCode.Success;
        });
        return command;
    }

    private static DeviceLimits Better(DeviceLimits a, DeviceLimits b) => new(Math.Max(a.BytesPerSecond, b.BytesPerSecond), Math.Max(a.OperationsPerSecond, b.OperationsPerSecond))
    {
        ReadBytesPerSecond = Math.Max(a.ReadBytesPerSecond ?? 0, b.ReadBytesPerSecond ?? 0),
        FourStreamReadBytesPerSecond = Math.Max(a.FourStreamReadBytesPerSecond ?? 0, b.FourStreamReadBytesPerSecond ?? 0),
        Int8OperationsPerSecond = Math.Max(a.Int8OperationsPerSecond ?? 0, b.Int8OperationsPerSecond ?? 0),
        DispatchSeconds = Math.Min(a.DispatchSeconds ?? double.PositiveInfinity, b.DispatchSeconds ?? double.PositiveInfinity),
    };

    /// <summary>Runs the command that lies beside this program and returns what it writes.</summary>
    private static async Task<string> RunAsync(string[] arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "FastLayers.Cli.dll"), .. arguments]) { RedirectStandardOutput = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet could not be started.");
        string text = await process.StandardOutput.ReadToEndAsync(cancellation).ConfigureAwait(false);
        await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
        return process.ExitCode == 0 ? text : throw new InvalidOperationException($"fastlayers {arguments[0]} failed with exit code {process.ExitCode}.");
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
