using System.CommandLine;
using System.Globalization;

namespace FastLayers.Cli.Commands;

/// <summary><c>fastlayers perplexity</c>: how well a model predicts a text.</summary>
internal static class PerplexityCommand
{
    public static Command Create()
    {
        var model = CommonOptions.Model(required: true);
        var file = new Option<string>("--file", "-f") { Description = "Text file in UTF-8.", Required = true };
        var context = CommonOptions.Number("--context", "-c", "Tokens a window.", 512, "a whole number from 2", n => n >= 2);
        var stride = CommonOptions.Number("--stride", null, "Tokens between the starts of windows; 0 takes the whole window. Each token is predicted once.", 0);
        var separator = new Option<string?>("--separator") { Description = "Text between documents that do not see each other, such as '<|endoftext|>'; the white space around documents is dropped." };
        var last = CommonOptions.Number("--last", null, "Only the last so many documents; 0 takes all.", 0);
        var firstWindow = new Option<bool>("--first-window") { Description = "Only the first window of each document." };
        var activations = CommonOptions.Activations("float32");
        var threads = CommonOptions.Threads();
        var device = CommonOptions.DeviceName();
        var json = CommonOptions.Json();
        var command = new Command("perplexity", "Measure how well a model predicts a text.") { model, file, context, stride, separator, last, firstWindow, activations, threads, device, json };
        command.SetAction(async (result, cancellation) =>
        {
            int length = result.GetValue(context);
            int step = result.GetValue(stride);
            if (step > length) throw new UsageException($"--stride should be at most the context, {length}, found {step}.");
            string text = await File.ReadAllTextAsync(result.GetValue(file)!, cancellation).ConfigureAwait(false);
            using var target = CommonOptions.CreateDevice(result.GetValue(device)!, result.GetValue(threads));
            var options = new ModelOptions { Activations = CommonOptions.ParseActivations(result.GetValue(activations), ActivationPrecision.Float32) };
            using var loaded = Model.Load(result.GetValue(model)!, target, options, cancellation: cancellation);
            var tokenizer = loaded.Tokenizer ?? throw new InvalidOperationException($"{result.GetValue(model)} has no tokenizer.");
            int[][] documents = [.. Split(text, result.GetValue(separator), result.GetValue(last)).Select(d => tokenizer.Encode(d, addSpecial: false))];
            int textLength = tokenizer.AddsBegin ? length - 1 : length;
            if (result.GetValue(firstWindow)) documents = [.. documents.Select(d => d[..Math.Min(d.Length, textLength)])];
            int longest = documents.Length == 0 ? 0 : documents.Max(d => d.Length);
            CommonOptions.WarnBeyondContext(loaded, Math.Min(length, longest + length - textLength));
            var measured = await ProgressBar.RunAsync("Perplexity", result.GetValue(json), progress => PerplexityMeter.Measure(loaded, documents, length, Math.Min(step, textLength), progress, cancellation)).ConfigureAwait(false);
            if (result.GetValue(json)) JsonOutput.Write(new PerplexityOutput(measured.Nll, measured.Perplexity, measured.StandardError, measured.Tokens, length, step));
            else Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"perplexity {measured.Perplexity:f4}  nll {measured.Nll:f4} ± {measured.StandardError:f4} nats over {measured.Tokens} tokens"));
            return ExitCode.Success;
        });
        return command;
    }

    private static string[] Split(string text, string? separator, int last)
    {
        string[] documents = string.IsNullOrEmpty(separator) ? [text] : [.. text.Split(separator).Select(d => d.Trim()).Where(d => d.Length > 0)];
        return last > 0 && last < documents.Length ? documents[^last..] : documents;
    }
}
