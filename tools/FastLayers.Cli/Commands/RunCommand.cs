using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace FastLayers.Cli.Commands;

/// <summary><c>fastlayers run</c>: continues a text.</summary>
internal static class RunCommand
{
    private const string DefaultPrompt = "Once upon a time";

    public static Command Create()
    {
        var defaults = new GenerationOptions();
        var model = CommonOptions.Model(required: false);
        var prompt = new Option<string>("--prompt", "-p") { Description = "Text to continue.", DefaultValueFactory = _ => DefaultPrompt };
        var maxTokens = CommonOptions.Number("--max-tokens", "-n", "Most tokens to generate.", defaults.MaxTokens);
        var temperature = CommonOptions.Real("--temperature", "Divides the logits; 0 takes the most likely token.", defaults.Temperature, "0 or a positive number", t => t >= 0);
        var topK = CommonOptions.Number("--top-k", null, "Keep the K most likely tokens; 0 keeps all.", defaults.TopK);
        var topP = CommonOptions.Real("--top-p", "Keep the most likely tokens up to this probability.", defaults.TopP, "above 0, at most 1", p => p is > 0 and <= 1);
        var minP = CommonOptions.Real("--min-p", "Keep tokens this share as likely as the best.", defaults.MinP, "0 to 1", p => p is >= 0 and <= 1);
        var repetition = CommonOptions.Real("--repetition-penalty", "Weakens recent tokens; 1 is off.", defaults.RepetitionPenalty, "a positive number", p => p > 0);
        var frequency = CommonOptions.Real("--frequency-penalty", "Taken from a logit for each recent occurrence.", defaults.FrequencyPenalty, "a number", _ => true);
        var presence = CommonOptions.Real("--presence-penalty", "Taken from a logit if the token is recent.", defaults.PresencePenalty, "a number", _ => true);
        var seed = CommonOptions.Seed("Start of the random numbers; the same seed gives the same text. Default: a new one each time.", null);
        var stop = new Option<string[]>("--stop") { Description = "Text that ends generation; may be given several times.", DefaultValueFactory = _ => [] };
        CommonOptions.RefuseEmpty(stop, "a text");
        var context = CommonOptions.Number("--context", "-c", "Tokens that the context holds; 0 takes the model's length.", 0);
        var activations = CommonOptions.Activations("int8");
        var keyFormat = CommonOptions.KeyFormat();
        var valueFormat = CommonOptions.ValueFormat();
        var threads = CommonOptions.Threads();
        var device = CommonOptions.DeviceName();
        var json = CommonOptions.Json();
        var command = new Command("run", "Continue a text; without arguments, the sample model tells a story.")
        {
            model, prompt, maxTokens, temperature, topK, topP, minP, repetition, frequency, presence, seed, stop, context, activations, keyFormat, valueFormat, threads, device, json,
        };
        command.SetAction((result, cancellation) => RunAsync(
            new Request(
                result.GetValue(model) ?? CommonOptions.SampleModel,
                result.GetValue(prompt)!,
                new GenerationOptions
                {
                    MaxTokens = result.GetValue(maxTokens),
                    Temperature = result.GetValue(temperature),
                    TopK = result.GetValue(topK),
                    TopP = result.GetValue(topP),
                    MinP = result.GetValue(minP),
                    RepetitionPenalty = result.GetValue(repetition),
                    FrequencyPenalty = result.GetValue(frequency),
                    PresencePenalty = result.GetValue(presence),
                    Seed = result.GetValue(seed),
                    StopStrings = result.GetValue(stop)!,
                },
                new SessionOptions
                {
                    ContextLength = result.GetValue(context),
                    KeyFormat = CommonOptions.ParseCache(keyFormat, result),
                    ValueFormat = CommonOptions.ParseCache(valueFormat, result),
                },
                CommonOptions.ParseActivations(result.GetValue(activations), ActivationPrecision.Int8),
                result.GetValue(device)!,
                result.GetValue(threads),
                result.GetValue(json)),
            cancellation));
        return command;
    }

    private sealed record Request(string Model, string Prompt, GenerationOptions Generation, SessionOptions Session, ActivationPrecision Activations, string Device, int Threads, bool Json);

    private static async Task<int> RunAsync(Request request, CancellationToken cancellation)
    {
        using var device = CommonOptions.CreateDevice(request.Device, request.Threads);
        long start = Stopwatch.GetTimestamp();
        using var model = await ProgressBar.RunAsync("Loading", request.Json, progress => Model.Load(request.Model, device, new ModelOptions { Activations = request.Activations }, progress, cancellation)).ConfigureAwait(false);
        double loadSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

        var text = new StringBuilder();
        var ids = new List<int>();
        GenerationStatistics? statistics = null;
        var pieces = model.GenerateAsync(request.Prompt, request.Generation, request.Session, cancellation); // refuses encoders before anything is shown
        if (!request.Json) Console.Out.Write(request.Prompt);
        try
        {
            await foreach (var piece in pieces.ConfigureAwait(false))
            {
                text.Append(piece.Text);
                ids.AddRange(piece.Ids);
                statistics = piece.Statistics;
                if (!request.Json) Console.Out.Write(piece.Text);
            }
        }
        finally
        {
            if (!request.Json) Console.Out.WriteLine();
        }

        CommonOptions.WarnBeyondContext(model, statistics!.PromptTokens + statistics.GeneratedTokens);
        if (request.Json)
        {
            JsonOutput.Write(new RunResult(
                text.ToString(), ids, statistics!.PromptTokens, statistics.GeneratedTokens, statistics.PrefillTokensPerSecond, statistics.DecodeTokensPerSecond,
                statistics.TimeToFirstToken.TotalSeconds, loadSeconds, statistics.PeakMemoryBytes, FinishReasonName(statistics.FinishReason), model.Config.Name ?? Path.GetFileName(request.Model), device.Name));
        }
        else
        {
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{statistics!.PromptTokens} prompt tokens at {statistics.PrefillTokensPerSecond:f0}/s, {statistics.GeneratedTokens} generated at {statistics.DecodeTokensPerSecond:f0}/s, loaded in {loadSeconds:f2} s, {statistics.PeakMemoryBytes / 1e6:f0} MB]"));
        }

        return ExitCode.Success;
    }

    private static string FinishReasonName(FinishReason reason) => reason switch
    {
        FinishReason.EndOfText => "endOfText",
        FinishReason.MaxTokens => "maxTokens",
        FinishReason.StopString => "stopString",
        _ => "contextFull",
    };
}
