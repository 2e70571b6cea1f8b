using FastLayers.Synthesis;

namespace FastLayers.Fuzz;

/// <summary>A tiny model of every architecture, to be damaged and run.</summary>
internal static class ModelSeeds
{
    private static readonly string[] s_formats = ["f32", "q4_0", "f16", "q8_0"];
    private static readonly Lazy<CpuDevice> s_device = new(() => new CpuDevice(1));

    public static FuzzSeed[] Make() => [.. SyntheticModelOptions.Architectures.Select((architecture, i) =>
    {
        string format = s_formats[i % s_formats.Length];
        string shape = "layers=2,width=32,ffn=64,heads=2,vocabulary=300,context=64" + (architecture == "qwen3moe" ? ",experts=3,experts-used=2" : "");
        string path = Path.Combine(Path.GetTempPath(), $"fastlayers-fuzz-{Guid.NewGuid():n}.gguf");
        SyntheticModel.Write(path, SyntheticModelOptions.Parse(shape, architecture, format, 1));
        byte[] bytes = File.ReadAllBytes(path);
        File.Delete(path);
        return new FuzzSeed(architecture, "model.gguf", [new FuzzFile("model.gguf", bytes, FileKind.Binary)]);
    })];

    /// <summary>Loads a model and runs three tokens.</summary>
    public static void Run(string path, Random? random)
    {
        using var model = Model.Load(path, s_device.Value, new ModelOptions { Activations = random?.Next(2) == 1 ? ActivationPrecision.Int8 : ActivationPrecision.Float32 });
        int[] ids = [0, 1, Math.Min(2, model.Config.VocabularySize - 1)];
        ids = ids[..Math.Min(ids.Length, model.Config.ContextLength)];
        ids.AsSpan().Replace(1, Math.Min(1, model.Config.VocabularySize - 1));
        if (model.Config.IsEncoder) GC.KeepAlive(model.Embed(ids));
        else GC.KeepAlive(model.Logits(ids));
    }
}
