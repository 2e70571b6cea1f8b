using System.CommandLine;
using System.Globalization;
using FastLayers.Cli.Bench;

namespace FastLayers.Cli.Commands;

/// <summary><c>fastlayers bench</c>: how fast a model runs, alone or beside another engine, and where the time goes.</summary>
internal static class BenchCommand
{
    /// <summary>Tokens that one pass of prefill takes at most.</summary>
    private const int ChunkLength = 512;

    private const int MostSequences = 1024;

    /// <summary>Tokens of a case, in its context or in all its sequences; their ids are made before the clock starts.</summary>
    private const int MostTokens = 1 << 28;

    public static Command Create()
    {
        var model = CommonOptions.Model(required: false);
        var threads = CommonOptions.Threads();
        var device = CommonOptions.DeviceName();
        var prompt = CommonOptions.Number("--prompt", "-p", "Tokens of a prefill; 0 leaves it out.", 512);
        var generate = CommonOptions.Number("--generate", "-n", "Tokens a sequence of a decode; 0 leaves it out.", 64);
        var depth = CommonOptions.Numbers("--depth", "Tokens that are there before, such as 0,4096.", [0], 0, int.MaxValue);
        var batch = CommonOptions.Numbers("--batch", "Sequences that are decoded together, such as 1,2,4.", [1], 1, MostSequences);
        var cacheKeys = CommonOptions.KeyFormat();
        var cacheValues = CommonOptions.ValueFormat();
        var activations = CommonOptions.Activations("int8");
        var repetitions = CommonOptions.Number("--repetitions", "-r", "Measured runs of each case, after one that is not.", 5, "a whole number from 1", n => n >= 1);
        var seed = CommonOptions.Number("--seed", "-s", "Start of the random tokens.", 1, "a whole number from 1", n => n >= 1);
        var profile = new Option<bool>("--profile") { Description = "Also show how long each operation takes in a pass of prefill and of decode." };
        var peer = new Option<string?>("--peer") { Description = $"Another engine to measure in turn with this one: {string.Join(", ", Peer.Names)}. See perf/peers in the repository. onnxruntime runs no models: products of --prompt rows, and of one row, are measured." };
        var peerPath = new Option<string?>("--peer-path") { Description = "The peer's program. Default: perf/peers/NAME/run above the working folder." };
        var format = new Option<string?>("--format") { Description = "table, json, csv or markdown. Default: table." };
        var json = CommonOptions.Json();
        CommonOptions.RefuseEmpty(peerPath, "a program");
        var command = new Command("bench", "Measure how many tokens a second a model runs.")
        {
            model, prompt, generate, depth, batch, cacheKeys, cacheValues, activations, repetitions, seed, profile, peer, peerPath, format, threads, device, json,
        };
        command.SetAction(async (result, cancellation) =>
        {
            var form = ParseFormat(result.GetValue(format), result.GetValue(json));
            string? peerName = result.GetValue(peer);
            string? peerProgram = PeerProgram(peerName, result.GetValue(peerPath), result.GetValue(device)!);
            bool measuresProducts = peerName == Peer.Products;
            var cases = measuresProducts ? MatMulComparison.Cases(result.GetValue(prompt), result.GetValue(generate) > 0) : BenchCase.All(result.GetValue(prompt), result.GetValue(generate), result.GetValue(depth)!, result.GetValue(batch)!);
            if (cases.Count == 0) throw new UsageException("--prompt and --generate are both 0, which leaves nothing to measure.");
            long context = cases.Max(work => (long)work.Depth + work.Tokens);
            long tokens = cases.Max(work => work.TokenCount);
            if (Math.Max(context, tokens) > MostTokens) throw new UsageException($"A case of {Math.Max(context, tokens)} tokens is too long; at most {MostTokens} can be measured.");
            if (measuresProducts)
            {
                if (result.GetValue(model) is not null || result.GetValue(profile)) throw new UsageException($"--peer {peerName} is measured without a model; --model and --profile cannot be used.");
                var products = await ProgressBar.RunAsync("Measuring products", form == BenchFormat.Json, progress =>
                    MatMulComparison.Run(cases, result.GetValue(threads), result.GetValue(repetitions), result.GetValue(seed), peerName!, peerProgram!, progress, cancellation)).ConfigureAwait(false);
                products.Write(form);
                return ExitCode.Success;
            }

            var keys = CommonOptions.ParseCache(cacheKeys, result);
            var values = CommonOptions.ParseCache(cacheValues, result);

            using var target = CommonOptions.CreateDevice(result.GetValue(device)!, result.GetValue(threads));
            var precision = CommonOptions.ParseActivations(result.GetValue(activations), ActivationPrecision.Int8);
            string path = Path.GetFullPath(result.GetValue(model) ?? CommonOptions.SampleModel);
            using var loaded = Model.Load(path, target, new ModelOptions { Activations = precision }, cancellation: cancellation);
            var options = new SessionOptions
            {
                ContextLength = (int)context,
                SequenceCount = cases.Max(work => work.Batch),
                ChunkLength = Math.Max(ChunkLength, cases.Max(work => work.Batch)),
                KeyFormat = keys,
                ValueFormat = values,
            };
            CommonOptions.WarnBeyondContext(loaded, options.ContextLength);
            using var own = new ModelEngine(loaded, options, result.GetValue(seed));
            int workers = target is CpuDevice cpu ? cpu.ThreadCount : 0;
            string[] arguments =
            [
                "--model", path, "--threads", Text(workers), "--context", Text(options.ContextLength), "--sequences", Text(options.SequenceCount),
                "--cache-k", keys.Name, "--cache-v", values.Name, "--seed", Text(result.GetValue(seed)),
            ];
            using var other = peerProgram is null ? null : PeerEngine.Start(peerName!, peerProgram, arguments, cancellation);
            var setup = new BenchSetup(path, target.Description, workers, precision == ActivationPrecision.Int8 ? "int8" : "float32", keys.Name, values.Name, result.GetValue(seed), result.GetValue(repetitions), peerName, other?.Description);
            var report = await ProgressBar.RunAsync("Measuring " + Path.GetFileName(path), form == BenchFormat.Json, progress =>
            {
                var rows = BenchRun.Run(other is null ? [own] : [own, other], cases, setup.Repetitions, progress, cancellation);
                return new BenchReport(setup, rows, result.GetValue(profile) ? Profile(own, cases, setup.Repetitions, cancellation) : []);
            }).ConfigureAwait(false);
            report.Write(form);
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Prefill and the first size of decode, at each depth.</summary>
    private static List<OperationShares> Profile(ModelEngine engine, IReadOnlyList<BenchCase> cases, int repetitions, CancellationToken cancellation) =>
        [.. cases.DistinctBy(work => (work.Kind, work.Depth)).Select(work => OperationShares.Measure(engine, work, repetitions, cancellation))];

    private static BenchFormat ParseFormat(string? text, bool asJson)
    {
        BenchFormat? form = text switch
        {
            null => asJson ? BenchFormat.Json : BenchFormat.Table,
            "table" => BenchFormat.Table,
            "json" => BenchFormat.Json,
            "csv" => BenchFormat.Csv,
            "markdown" => BenchFormat.Markdown,
            _ => null,
        };
        if (form is null) throw new UsageException($"--format should be table, json, csv or markdown, found '{text}'.");
        if (asJson && form != BenchFormat.Json) throw new UsageException($"--json and --format {text} ask for different forms.");
        return form.Value;
    }

    private static string? PeerProgram(string? name, string? path, string device)
    {
        if (name is null) return path is null ? null : throw new UsageException("--peer-path is given without --peer.");
        if (!Peer.Names.Contains(name)) throw new UsageException($"--peer should be {string.Join(" or ", Peer.Names)}, found '{name}'.");
        if (device != "cpu") throw new UsageException($"--peer {name} runs on the processor; --device should be cpu, found '{device}'.");
        return path is null ? Peer.Find(name) : Path.GetFullPath(path);
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
