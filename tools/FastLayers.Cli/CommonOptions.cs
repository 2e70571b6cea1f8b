using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using FastLayers.Gpu;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Cli;

/// <summary>Options that several commands share.</summary>
internal static class CommonOptions
{
    public static Option<string?> Model(bool required)
    {
        var option = new Option<string?>("--model", "-m")
        {
            Description = "Model file (GGUF, safetensors) or folder." + (required ? "" : " Default: the story model that ships with the command."),
            Required = required,
        };
        RefuseEmpty(option, "a file or folder");
        return option;
    }

    public static Option<int> Threads() => Number("--threads", "-t", "Threads that compute; 0 takes one a core.", 0, "a whole number from 0 to 1024", n => n <= 1024);

    public static Option<string> DeviceName() => new("--device", "-d") { Description = "Where to run: cpu, cuda:N, opencl:N, best (a GPU if there is one) or emulated (for tests). See 'fastlayers devices'.", DefaultValueFactory = _ => "cpu" };

    public static Option<bool> Json() => new("--json") { Description = "Write one JSON object to the standard output." };

    public static Option<string?> Activations(string fallback) => new("--activations")
    {
        Description = $"How activations enter products with quantized weights: int8 (fast) or float32 (exact). Default: {fallback}.",
    };

    public static Option<string> KeyFormat() => CacheFormat("--cache-k", "keys");

    public static Option<string> ValueFormat() => CacheFormat("--cache-v", "values");

    /// <summary>The sample model, beside the command.</summary>
    public static string SampleModel => Path.Combine(AppContext.BaseDirectory, "samples", "stories260K", "stories260K.gguf");

    /// <summary>A whole number from 0 that may be left out.</summary>
    /// <param name="name">The long name.</param>
    /// <param name="shortName">The short name, or null.</param>
    /// <param name="description">What help says.</param>
    /// <param name="fallback">The value where the option is not given.</param>
    /// <param name="expected">What the error says about the values allowed.</param>
    /// <param name="isAllowed">Decides about values from 0 on; null allows all.</param>
    public static Option<int> Number(string name, string? shortName, string description, int fallback, string expected = "a whole number from 0", Func<int, bool>? isAllowed = null) =>
        Parsed(name, shortName, description, expected, fallback, text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && isAllowed?.Invoke(value) != false ? value : null);

    /// <summary>A number with a fraction, that may be left out.</summary>
    public static Option<float> Real(string name, string description, float fallback, string expected, Func<float, bool> isAllowed) =>
        Parsed(name, null, description, expected, fallback, text => float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value) && isAllowed(value) ? value : null);

    /// <summary>The start of random numbers; null takes a new one each time.</summary>
    public static Option<ulong?> Seed(string description, ulong? fallback) =>
        Optional<ulong>("--seed", "-s", description, $"a whole number from 0 to {ulong.MaxValue}", fallback, text => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : null);

    /// <summary>A whole number from 0, or null where the option is not given.</summary>
    public static Option<int?> OptionalNumber(string name, string description) =>
        Optional<int>(name, null, description, "a whole number from 0", null, text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null);

    /// <summary>Whole numbers separated by commas.</summary>
    public static Option<int[]> Numbers(string name, string description, int[] fallback, int least, int most) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => fallback,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            var numbers = new List<int>();
            foreach (string part in text.Split(','))
            {
                if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most)
                {
                    numbers.Add(number);
                    continue;
                }

                result.AddError($"{name} should be whole numbers from {least}{(most < int.MaxValue ? $" to {most}" : "")}, separated by commas, found '{text}'.");
                return fallback;
            }

            return [.. numbers];
        },
    };

    /// <summary>Refuses an option whose value is the empty text.</summary>
    public static void RefuseEmpty(Option option, string expected) => option.Validators.Add(result =>
    {
        if (result.Tokens.Any(t => t.Value.Length == 0)) result.AddError($"{option.Name} should be {expected}, found nothing.");
    });

    /// <summary>
    /// One line on the error stream if more tokens follow each other than the model was trained on. Learned positions end there, which is an error.
    /// </summary>
    public static void WarnBeyondContext(Model model, int tokens)
    {
        if (model.Config.Rotary is not null && tokens > model.Config.ContextLength)
            Console.Error.WriteLine($"Warning: {tokens} tokens exceed the {model.Config.ContextLength} that the model was made for; expect worse predictions beyond.");
    }

    public static Device CreateDevice(string name, int threads)
    {
        string[] parts = name.Split(':');
        int index = 0;
        bool known = parts.Length == 1 || (parts.Length == 2 && parts[0] is "cuda" or "opencl" && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out index));
        return (known ? parts[0] : "") switch
        {
            "cpu" => new CpuDevice(threads),
            "cuda" => GpuDevice.Cuda(index),
            "opencl" => GpuDevice.OpenCL(index),
            "emulated" => GpuDevice.Emulated(),
            "best" => GpuDevice.BestOrCpu() is GpuDevice gpu ? gpu : new CpuDevice(threads),
            _ => throw new UsageException($"--device should be cpu, cuda:N, opencl:N, best or emulated, found '{name}'. See 'fastlayers devices'."),
        };
    }

    public static ActivationPrecision ParseActivations(string? text, ActivationPrecision fallback) => text switch
    {
        null => fallback,
        "int8" => ActivationPrecision.Int8,
        "float32" => ActivationPrecision.Float32,
        _ => throw new UsageException($"--activations should be int8 or float32, found '{text}'."),
    };

    public static Format ParseCache(Option<string> option, ParseResult result)
    {
        string text = result.GetValue(option)!;
        return Format.TryParse(text, out var format) && CachedRow.Supports(format) ? format : throw new UsageException($"{option.Name} should be f32, f16, q8_0 or q4_0, found '{text}'.");
    }

    private static Option<string> CacheFormat(string name, string what) => new(name)
    {
        Description = $"Storage of {what}: f32 or f16, on the CPU also q8_0 or q4_0.",
        DefaultValueFactory = _ => "f16",
    };

    private static Option<T> Parsed<T>(string name, string? shortName, string description, string expected, T fallback, Func<string, T?> parse)
        where T : struct => new(name, shortName is null ? [] : [shortName])
        {
            Description = description,
            DefaultValueFactory = _ => fallback,
            CustomParser = result => ParseOrRefuse(result, name, expected, parse) ?? fallback,
        };

    private static Option<T?> Optional<T>(string name, string? shortName, string description, string expected, T? fallback, Func<string, T?> parse)
        where T : struct => new(name, shortName is null ? [] : [shortName])
        {
            Description = description,
            DefaultValueFactory = _ => fallback,
            CustomParser = result => ParseOrRefuse(result, name, expected, parse),
        };

    private static T? ParseOrRefuse<T>(ArgumentResult result, string name, string expected, Func<string, T?> parse)
        where T : struct
    {
        string text = result.Tokens[0].Value;
        if (parse(text) is { } value) return value;
        result.AddError($"{name} should be {expected}, found '{text}'.");
        return null;
    }
}
