using System.CommandLine;
using System.Globalization;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using FastLayers.Cli;
using FastLayers.Gpu;
using FastLayers.Kernels;
using FastLayers.Kernels.Formats;

namespace FastLayers.Benchmarks.Suites;

/// <summary>The verb <c>suites</c>.</summary>
internal static class SuitesCommand
{
    private const int IterationMilliseconds = 100;
    private const int CaseWidth = 100;
    private const int ShortIterations = 3;
    private const int LongIterations = 15;
    private static readonly string[] s_names = ["limits", "catalog", "gemv", "gemm"];

    public static Command Create()
    {
        var suites = new Option<string[]>("--suite") { Description = $"Suites to run: {string.Join(", ", s_names)}; may be repeated. Default: all.", AllowMultipleArgumentsPerToken = true };
        var operations = new Option<string[]>("--op", "-o") { Description = "Only operations of the catalog whose name starts with this; may be repeated.", AllowMultipleArgumentsPerToken = true };
        var formats = new Option<string[]>("--format", "-f") { Description = "Only these formats of the weights of gemv and gemm; may be repeated.", AllowMultipleArgumentsPerToken = true };
        var device = new Option<string>("--device", "-d") { Description = "Device of the catalog's suite: cpu, cuda:N or opencl:N.", DefaultValueFactory = _ => "cpu" };
        var threads = CommonOptions.Numbers("--threads", "Threads of the limits, gemv and gemm, such as 1,2.", [1, 2], 1, 1024);
        var job = new Option<string>("--job") { Description = "short: three iterations a benchmark; medium: fifteen.", DefaultValueFactory = _ => "short" };
        var command = new Command("suites", "Run benchmarks with BenchmarkDotNet.") { suites, operations, formats, device, threads, job };
        command.SetAction(result =>
        {
            string[] chosen = result.GetValue(suites) is { Length: > 0 } names ? names : s_names;
            if (chosen.Except(s_names).FirstOrDefault() is { } unknown) throw new UsageException($"--suite should be {string.Join(", ", s_names)}, found '{unknown}'.");
            int iterations = result.GetValue(job) switch
            {
                "short" => ShortIterations,
                "medium" => LongIterations,
                var other => throw new UsageException($"--job should be short or medium, found '{other}'."),
            };
            Selection.Prefixes = result.GetValue(operations) ?? [];
            Selection.Formats = result.GetValue(formats) ?? [];
            if (Selection.Formats.FirstOrDefault(name => !Format.TryParse(name, out _)) is { } noFormat) throw new UsageException($"--format should be a storage format such as q4_0, found '{noFormat}'.");
            Selection.Threads = result.GetValue(threads)!;
            if (!KernelCatalog.Operations.Any(operation => Selection.Matches(operation.Name))) throw new UsageException($"--op should be the start of an operation's name, found '{string.Join(' ', Selection.Prefixes)}'.");
            using var opened = result.GetValue(device) == "cpu" ? null : CommonOptions.CreateDevice(result.GetValue(device)!, threads: 1);
            if (opened is GpuDevice gpu) Selection.Runner = gpu.CreateKernelRunner();
            var config = Config(iterations);
            foreach (string name in s_names.Intersect(chosen)) BenchmarkRunner.Run(TypeOf(name), config);
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>In this process, so that the limits are those of the same run, and since building a process a benchmark takes longer than it.</summary>
    private static ManualConfig Config(int iterations) => ManualConfig.Create(DefaultConfig.Instance)
        .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(1).WithIterationCount(iterations)
            .WithIterationTime(Perfolizer.Horology.TimeInterval.FromMilliseconds(IterationMilliseconds)).WithId(iterations == ShortIterations ? "short" : "medium"))
        .AddColumn(RateColumn.All)
        .WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(CaseWidth))
        .WithCultureInfo(CultureInfo.InvariantCulture)
        .WithOptions(ConfigOptions.JoinSummary);

    private static Type TypeOf(string name) => name switch
    {
        "limits" => typeof(LimitBenchmarks),
        "gemv" => typeof(GemvBenchmarks),
        "gemm" => typeof(GemmBenchmarks),
        _ => typeof(CatalogBenchmarks),
    };
}
