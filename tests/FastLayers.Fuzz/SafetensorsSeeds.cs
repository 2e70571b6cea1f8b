using System.Text;

namespace FastLayers.Fuzz;

/// <summary>Small valid safetensors models: one file, a folder, several files with an index.</summary>
public static class SafetensorsSeeds
{
    private const string Config = """
        {"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "rms_norm_eps": 1e-05, "tie_word_embeddings": true, "rope_theta": 10000.0,
         "rope_scaling": {"type": "linear", "factor": 2.0, "short_factor": [1.0, 1.5, 2]}, "eos_token_id": [1, 2], "bos_token_id": null,
         "id2label": {"0": "no", "1": "yes"}, "layers": [{"kind": "full"}, {"kind": "sliding"}], "empty": []}
        """;

    private const string Index = """
        {"metadata": {"total_size": 72}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00001-of-00002.safetensors",
         "c": "model-00002-of-00002.safetensors"}}
        """;

    public static FuzzSeed[] Make() =>
    [
        new("single", "x.safetensors", [new("x.safetensors", EveryType(), FileKind.Safetensors)]),
        new("folder", "", [new("model.safetensors", EveryType(), FileKind.Safetensors), new("config.json", Encoding.UTF8.GetBytes(Config), FileKind.Json)]),
        new("sharded", "", [.. Shards(), new("config.json", Encoding.UTF8.GetBytes(Config), FileKind.Json)]),
        new("index", "model.safetensors.index.json", Shards()),
    ];

    public static byte[] EveryType() => SafetensorsBytes.Build(
        ("weight", "F32", [2, 4], 32), ("half", "F16", [3], 6), ("bias", "BF16", [1, 1, 2, 2], 8), ("scalar", "F32", [], 4),
        ("ids", "I64", [2], 16), ("mask", "BOOL", [5], 5), ("fp8", "F8_E4M3", [3], 3), ("none", "F32", [0, 4], 0), ("conv", "F32", [1, 1, 1, 1, 2], 8));

    private static FuzzFile[] Shards() =>
    [
        new("model-00001-of-00002.safetensors", SafetensorsBytes.Build(("a", "F32", [2, 4], 32), ("b", "F16", [4, 2], 16)), FileKind.Safetensors),
        new("model-00002-of-00002.safetensors", SafetensorsBytes.Build(("c", "BF16", [4, 3], 24)), FileKind.Safetensors),
        new("model.safetensors.index.json", Encoding.UTF8.GetBytes(Index), FileKind.Json),
    ];
}
