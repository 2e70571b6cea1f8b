using System.CommandLine;
using System.Globalization;
using FastLayers.Gpu;
using FastLayers.Kernels;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Gpu;
using FastLayers.Kernels.Simd;
using Spectre.Console;

namespace FastLayers.Cli.Commands;

/// <summary><c>fastlayers validate</c>: proves on the user's machine that every kernel agrees with its definition, and measures it.</summary>
internal static class ValidateCommand
{
    private static readonly TimeSpan s_measuringTime = TimeSpan.FromMilliseconds(100);

    public static Command Create()
    {
        var devices = new Option<string[]>("--device", "-d")
        {
            Description = "Devices to validate: cpu, cuda:N, opencl:N or emulated; may be repeated. Default: the processor and all devices of CUDA and OpenCL, whose drivers may be for the processor too, or the emulated device where there is none. --perf leaves the emulated one out.",
            AllowMultipleArgumentsPerToken = true,
        };
        var operations = new Option<string[]>("--op", "-o")
        {
            Description = "Only operations whose name starts with this, such as MatMul or RmsNorm.Weighted; may be repeated.",
            AllowMultipleArgumentsPerToken = true,
        };
        var seed = CommonOptions.Seed("Start of the random inputs. Default: a new one each time, which is printed.", null);
        var perf = new Option<bool>("--perf") { Description = "Measure each operation instead, beside what the device was measured to do at most; % is the share of the limit, over 100 where data stays in caches." };
        var json = CommonOptions.Json();
        var command = new Command("validate", "Compare every kernel with its double-precision definition on this machine.") { devices, operations, seed, perf, json };
        command.SetAction(async (result, cancellation) =>
        {
            bool asJson = result.GetValue(json);
            var chosen = Select(result.GetValue(operations) ?? []);
            ulong start = result.GetValue(seed) ?? (ulong)Random.Shared.NextInt64();
            var opened = new List<Device>();
            try
            {
                string[] names = DeviceNames(result.GetValue(devices) ?? []);
                if (result.GetValue(perf)) names = Measurable(names);
                foreach (string name in names) opened.Add(CommonOptions.CreateDevice(name, threads: 1));
                IReadOnlyList<IKernelRunner> runners = [.. opened.Select(device => device is GpuDevice gpu ? (IKernelRunner)gpu.CreateKernelRunner() : new CpuKernelRunner(SimdDispatch.Level))];
                return result.GetValue(perf)
                    ? await MeasureAsync(runners, chosen, start, asJson, cancellation).ConfigureAwait(false)
                    : await CheckAsync(runners, chosen, start, asJson, cancellation).ConfigureAwait(false);
            }
            finally
            {
                foreach (var device in opened) device.Dispose();
            }
        });
        return command;
    }

    private static KernelOperation[] Select(string[] prefixes)
    {
        foreach (string prefix in prefixes)
        {
            if (!KernelCatalog.Operations.Any(operation => Matches(operation, prefix)))
                throw new UsageException($"--op should be the start of an operation's name, found '{prefix}'. Operations are {string.Join(", ", KernelCatalog.Operations.Select(o => o.Name.Split('.')[0]).Distinct())}.");
        }

        return [.. KernelCatalog.Operations.Where(operation => prefixes.Length == 0 || prefixes.Any(prefix => Matches(operation, prefix)))];
    }

    private static bool Matches(KernelOperation operation, string prefix) => operation.Name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);

    private static string[] DeviceNames(string[] names)
    {
        if (names.Length > 0) return names;

        // OpenCL drivers for the processor too: slow, but they prove the kernels in a driver's compiler.
        string[] found = [.. GpuDevice.List().Where(info => info.Reason is null && info.Backend != GpuBackend.Emulated).Select(info => info.Name)];
        return ["cpu", .. found.Length > 0 ? found : ["emulated"]];
    }

    /// <summary>Threads that play a GPU say nothing about the speed of one.</summary>
    private static string[] Measurable(string[] names)
    {
        string[] measurable = [.. names.Where(name => name != "emulated")];
        if (measurable.Length == 0) throw new UsageException("--perf cannot measure the emulated device: it says nothing about the speed of a GPU.");
        if (measurable.Length < names.Length) Console.Error.WriteLine("The emulated device is not measured: it says nothing about the speed of a GPU.");
        return measurable;
    }

    private static async Task<int> CheckAsync(IReadOnlyList<IKernelRunner> runners, KernelOperation[] operations, ulong seed, bool asJson, CancellationToken cancellation)
    {
        var cases = (from runner in runners from operation in operations from shape in Enumerable.Range(0, operation.Shapes.Count) select (runner, operation, shape)).ToArray();
        var rows = await ProgressBar.RunAsync("Validating", asJson, progress =>
        {
            var outcomes = new List<ValidationOutput>(cases.Length);
            foreach (var (runner, operation, shape) in cases)
            {
                cancellation.ThrowIfCancellationRequested();
                // The seed of a case does not depend on what else is validated, so that a failure comes again alone.
                outcomes.Add(Check(runner, operation, operation.Shapes[shape], seed + (ulong)shape));
                progress?.Report(outcomes.Count / (double)cases.Length);
            }

            return outcomes;
        }).ConfigureAwait(false);

        int passed = rows.Count(row => row.Verdict == "pass"), failed = rows.Count(row => row.Verdict == "fail"), skipped = rows.Count(row => row.Verdict == "skip");
        if (asJson)
        {
            JsonOutput.Write(new ValidateOutput(seed, passed, failed, skipped, rows));
        }
        else
        {
            foreach (var row in rows) Console.Out.WriteLine(row.Line());
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{passed} passed, {failed} failed, {skipped} skipped; seed {seed}"));
        }

        return failed == 0 && passed > 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private static ValidationOutput Check(IKernelRunner runner, KernelOperation operation, KernelShape shape, ulong seed)
    {
        if (runner.ReasonToSkip(operation) is { } reason) return new(runner.Device, operation.Name, shape.ToString(), null, operation.Tolerance, "skip", reason);
        KernelOutcome outcome;
        try
        {
            outcome = KernelCheck.Run(runner, operation, shape, seed);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Whatever a driver makes of one kernel, the others are to be heard.
            outcome = new(double.PositiveInfinity, exception.Message);
        }

        return new(runner.Device, operation.Name, shape.ToString(), outcome.Error, operation.Tolerance, outcome.Failure is null ? "pass" : "fail", outcome.Failure);
    }

    private static async Task<int> MeasureAsync(IReadOnlyList<IKernelRunner> runners, KernelOperation[] operations, ulong seed, bool asJson, CancellationToken cancellation)
    {
        var limitLines = new List<string>();
        var rows = await ProgressBar.RunAsync("Measuring", asJson, progress =>
        {
            var measured = new List<MeasurementOutput>();
            int done = 0;
            foreach (var runner in runners)
            {
                var limits = runner.MeasureLimits();
                limitLines.Add(MeasurementOutput.LimitsLine(runner.Device, limits));
                foreach (var operation in operations)
                {
                    foreach (var shape in runner.ReasonToSkip(operation) is null ? operation.MeasuredShapes : [])
                    {
                        cancellation.ThrowIfCancellationRequested();
                        double seconds = runner.Measure(operation, operation.Prepare(shape, seed), s_measuringTime);
                        measured.Add(MeasurementOutput.Of(runner.Device, operation, shape, seconds, limits));
                    }

                    progress?.Report(++done / (double)(runners.Count * operations.Length));
                }
            }

            return measured;
        }).ConfigureAwait(false);

        if (asJson)
        {
            JsonOutput.Write<IReadOnlyList<MeasurementOutput>>(rows);
        }
        else
        {
            foreach (string line in limitLines) Console.Out.WriteLine(line);
            foreach (var row in rows) Console.Out.WriteLine(row.Line());
        }

        return ExitCode.Success;
    }
}
