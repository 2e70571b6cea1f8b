using System.CommandLine;
using System.Globalization;
using FastLayers.Synthesis;

namespace FastLayers.Cli.Commands;

/// <summary><c>fastlayers synth</c>: writes a model of random weights.</summary>
internal static class SynthCommand
{
    public static Command Create()
    {
        var shape = new Option<string>("--shape") { Description = "135m, 1.1b, 8b, or numbers such as \"layers=2,width=256,ffn=512,heads=4,kv-heads=2,vocabulary=512\".", Required = true };
        var architecture = new Option<string>("--arch") { Description = $"One of {string.Join(", ", SyntheticModelOptions.Architectures)}.", DefaultValueFactory = _ => "llama" };
        var format = new Option<string>("--format") { Description = "Storage format of the matrices, such as f16, q4_0 or q4_k.", DefaultValueFactory = _ => "f32" };
        var seed = CommonOptions.Seed("Start of the random numbers.", 1);
        var output = new Option<string>("--out", "-o") { Description = "GGUF file to write.", Required = true };
        var json = CommonOptions.Json();
        var command = new Command("synth", "Write a model of random weights, for benchmarks and tests.") { shape, architecture, format, seed, output, json };
        command.SetAction(async (result, cancellation) =>
        {
            string path = result.GetValue(output)!;
            var options = Parse(result.GetValue(shape)!, result.GetValue(architecture)!, result.GetValue(format)!, result.GetValue(seed)!.Value);
            await ProgressBar.RunAsync("Writing " + Path.GetFileName(path), result.GetValue(json), progress =>
            {
                SyntheticModel.Write(path, options, progress, cancellation);
                return true;
            }).ConfigureAwait(false);
            long bytes = new FileInfo(path).Length;
            if (result.GetValue(json)) JsonOutput.Write(new SynthOutput(path, bytes, options.Architecture, options.Format.Name, options.Seed));
            else Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: {options.Architecture}, {options.Format.Name}, {bytes / 1e6:f1} MB"));
            return ExitCode.Success;
        });
        return command;
    }

    private static SyntheticModelOptions Parse(string shape, string architecture, string format, ulong seed)
    {
        try
        {
            return SyntheticModelOptions.Parse(shape, architecture, format, seed);
        }
        catch (ArgumentException exception)
        {
            throw new UsageException(CommandRunner.Describe(exception));
        }
    }
}
