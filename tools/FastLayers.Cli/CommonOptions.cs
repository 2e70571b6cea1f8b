using System.CommandLine;

namespace FastLayers.Cli;

/// <summary>Options that several commands share.</summary>
internal static class CommonOptions
{
    public static Option<string?> Model(bool required) => new("--model", "-m")
    {
        Description = "Model file (GGUF, safetensors) or folder." + (required ? "" : " Default: the story model that ships with the command."),
        Required = required,
    };

    public static Option<int> Threads() => new("--threads", "-t") { Description = "Threads that compute; 0 takes one a core." };

    public static Option<string> DeviceName() => new("--device", "-d") { Description = "Where to run: cpu.", DefaultValueFactory = _ => "cpu" };

    public static Option<bool> Json() => new("--json") { Description = "Write one JSON object to the standard output." };

    public static Option<string?> Activations(string fallback) => new("--activations")
    {
        Description = $"How activations enter products with quantized weights: int8 (fast) or float32 (exact). Default: {fallback}.",
    };

    public static Option<string?> CacheFormat(string fallback) => new("--cache") { Description = $"Storage of keys and values: f16 or f32. Default: {fallback}." };

    /// <summary>The sample model, beside the command.</summary>
    public static string SampleModel => Path.Combine(AppContext.BaseDirectory, "samples", "stories260K", "stories260K.gguf");

    public static Device CreateDevice(string name, int threads)
    {
        if (threads is < 0 or > 1024) throw new UsageException($"--threads should be 0 to 1024, found {threads}.");
        return name == "cpu" ? new CpuDevice(threads) : throw new UsageException($"--device should be cpu, found '{name}'. See 'fastlayers devices'.");
    }

    public static ActivationPrecision ParseActivations(string? text, ActivationPrecision fallback) => text switch
    {
        null => fallback,
        "int8" => ActivationPrecision.Int8,
        "float32" => ActivationPrecision.Float32,
        _ => throw new UsageException($"--activations should be int8 or float32, found '{text}'."),
    };

    public static Kernels.Formats.Format ParseCache(string? text, Kernels.Formats.Format fallback) => text switch
    {
        null => fallback,
        "f16" => Kernels.Formats.Format.F16,
        "f32" => Kernels.Formats.Format.F32,
        _ => throw new UsageException($"--cache should be f16 or f32, found '{text}'."),
    };
}
