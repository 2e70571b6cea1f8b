using System.Runtime.InteropServices;
using System.Text.Json;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Tests.Formats;

/// <summary>The files of data/formats: one row quantized by ggml in every format.</summary>
internal static class ReferenceVectors
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "data", "formats");

    public static readonly string[] Formats =
    [
        "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k",
        "iq4_nl", "iq4_xs", "tq1_0", "tq2_0", "mxfp4", "nvfp4", "q1_0", "q2_0",
    ];

    public static readonly string[] SearchedFormats = ["q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs"];

    public static float[] X => Floats("input_x.f32");

    public static float[] Y => Floats("input_y.f32");

    public static byte[] Blocks(string format) => File.ReadAllBytes(Path.Combine(Folder, FileName(format) + ".q.bin"));

    public static float[] Decoded(string format) => Floats(FileName(format) + ".deq.f32");

    public static byte[] Activation(string format) => File.ReadAllBytes(Path.Combine(Folder, $"act_{FileName(format)}.y.q.bin"));

    public static JsonElement[] Index()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "index.json")));
        return [.. document.RootElement.GetProperty("types").EnumerateArray().Select(e => e.Clone())];
    }

    public static Format Get(string name) =>
        Format.TryParse(name, out Format? format) ? format : throw new ArgumentException($"No format {name}.", nameof(name));

    private static string FileName(string format) => format.EndsWith("_k", StringComparison.Ordinal) ? format[..^1] + "K" : format;

    private static float[] Floats(string file) => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(Folder, file))).ToArray();
}
