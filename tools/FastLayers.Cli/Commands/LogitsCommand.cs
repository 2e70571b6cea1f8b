using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;

namespace FastLayers.Cli.Commands;

/// <summary><c>fastlayers logits</c>: writes logits or hidden states of given tokens to a file of little-endian floats.</summary>
internal static class LogitsCommand
{
    public static Command Create()
    {
        var model = CommonOptions.Model(required: true);
        var ids = new Option<string>("--ids") { Description = "Token ids, separated by commas.", Required = true };
        var output = new Option<string>("--out", "-o") { Description = "File of float32 values [positions, vocabulary] (or [positions, width]).", Required = true };
        var hidden = CommonOptions.OptionalNumber("--hidden", "Write the residual stream at this layer boundary instead: 0 is the first block's input, i the output of block i - 1.");
        var activations = CommonOptions.Activations("float32");
        var threads = CommonOptions.Threads();
        var device = CommonOptions.DeviceName();
        var command = new Command("logits", "Write the logits after each of some tokens.") { model, ids, output, hidden, activations, threads, device };
        command.SetAction(async (result, cancellation) =>
        {
            int[] tokens = ParseIds(result.GetValue(ids)!);
            using var target = CommonOptions.CreateDevice(result.GetValue(device)!, result.GetValue(threads));
            var options = new ModelOptions { Activations = CommonOptions.ParseActivations(result.GetValue(activations), ActivationPrecision.Float32) };
            using var loaded = Model.Load(result.GetValue(model)!, target, options, cancellation: cancellation);
            int layers = loaded.Config.LayerCount;
            if (result.GetValue(hidden) > layers) throw new UsageException($"--hidden should be 0 to {layers}, found {result.GetValue(hidden)}.");
            float[] values = result.GetValue(hidden) is { } layer
                ? loaded.Hidden(tokens, layer, cancellation)
                : await ProgressBar.RunAsync("Logits", quiet: false, progress => loaded.Logits(tokens, progress, cancellation)).ConfigureAwait(false);
            await WriteAsync(result.GetValue(output)!, values, cancellation).ConfigureAwait(false);
            return ExitCode.Success;
        });
        return command;
    }

    private static int[] ParseIds(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0) throw new UsageException("--ids should be token ids separated by commas, found none.");
        var ids = new int[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out ids[i])) throw new UsageException($"--ids should be token ids separated by commas, found '{parts[i]}'.");
        }

        return ids;
    }

    private static async Task WriteAsync(string path, float[] values, CancellationToken cancellation)
    {
        var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        await using (file.ConfigureAwait(false))
        {
            const int chunk = 1 << 20;
            for (int start = 0; start < values.Length; start += chunk)
            {
                byte[] bytes = MemoryMarshal.AsBytes(values.AsSpan(start, Math.Min(chunk, values.Length - start))).ToArray();
                await file.WriteAsync(bytes, cancellation).ConfigureAwait(false);
            }
        }
    }
}
