using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace FastLayers.Tests.Loading;

/// <summary>Writes small safetensors models of made-up weights.</summary>
internal static class SafetensorsModel
{
    /// <summary>One block of llama with two heads, its feed-forward part as wide as the stream, and no output matrix of its own.</summary>
    public static void WriteLlama(string path, int vocabulary, int width, bool attentionBias = false)
    {
        long[] square = [width, width];
        (string, long[])[] biases = [.. from map in (string[])["q_proj", "k_proj", "v_proj", "o_proj"] select ($"model.layers.0.self_attn.{map}.bias", new long[] { width })];
        Write(path,
        [
            .. attentionBias ? biases : [],
            ("model.embed_tokens.weight", [vocabulary, width]), ("model.norm.weight", [width]),
            ("model.layers.0.input_layernorm.weight", [width]), ("model.layers.0.post_attention_layernorm.weight", [width]),
            ("model.layers.0.self_attn.q_proj.weight", square), ("model.layers.0.self_attn.k_proj.weight", square),
            ("model.layers.0.self_attn.v_proj.weight", square), ("model.layers.0.self_attn.o_proj.weight", square),
            ("model.layers.0.mlp.gate_proj.weight", square), ("model.layers.0.mlp.up_proj.weight", square), ("model.layers.0.mlp.down_proj.weight", square),
        ]);
    }

    /// <summary>Two blocks of the sentence encoder; the first widens the stream from 4 to 8.</summary>
    public static void WriteUseLite(string path) => Write(path,
        ("pos.inv_timescales", [2]), ("token_embd.weight", [10, 4]), ("head.weight", [4, 8]),
        ("blk.0.attn_norm.weight", [4]), ("blk.0.attn_qkv.weight", [12, 4]), ("blk.0.attn_output.weight", [8, 4]), ("blk.0.residual_proj.weight", [8, 4]),
        ("blk.0.ffn_norm.weight", [8]), ("blk.0.ffn_up.weight", [8, 8]), ("blk.0.ffn_down.weight", [8, 8]),
        ("blk.1.attn_norm.weight", [8]), ("blk.1.attn_qkv.weight", [12, 8]), ("blk.1.attn_output.weight", [8, 4]),
        ("blk.1.ffn_norm.weight", [8]), ("blk.1.ffn_up.weight", [8, 8]), ("blk.1.ffn_down.weight", [8, 8]));

    /// <summary>F32 tensors of random values.</summary>
    public static void Write(string path, params ReadOnlySpan<(string Name, long[] Shape)> tensors)
    {
        var random = new Random(1);
        var header = new Dictionary<string, object>();
        var values = new List<float>();
        foreach (var (name, shape) in tensors)
        {
            long start = values.Count * 4L;
            for (long i = shape.Aggregate(1L, (a, b) => a * b); i > 0; i--) values.Add(random.NextSingle() - 0.5f);
            header[name] = new { dtype = "F32", shape, data_offsets = new[] { start, values.Count * 4L } };
        }

        byte[] json = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(header));
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        using var stream = File.Create(path);
        stream.Write(length);
        stream.Write(json);
        stream.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(values)));
    }
}
