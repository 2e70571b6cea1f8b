using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using FastLayers.Architectures;
using FastLayers.Loading;
using FastLayers.Synthesis;

namespace FastLayers.Tests.Transformer;

/// <summary>
/// A model written as a Hugging Face checkpoint (config.json and two safetensors shards, with that world's names, transposed maps and norms less
/// one) gives the logits of the same weights in a GGUF file.
/// </summary>
public sealed class HuggingFaceTests : IDisposable
{
    private const double Tolerance = 1e-5;
    private readonly string _folder = Directory.CreateTempSubdirectory("fastlayers-hf-").FullName;

    public static TheoryData<string, string> Models => new()
    {
        { "qwen2", """{"model_type":"qwen2","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"max_position_embeddings":256,"intermediate_size":96,"rms_norm_eps":EPS,"rope_theta":BASE,"use_sliding_window":false,"sliding_window":4}""" },
        { "qwen3", """{"model_type":"qwen3","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"max_position_embeddings":256,"intermediate_size":96,"rms_norm_eps":EPS,"rope_theta":BASE}""" },
        { "qwen3moe", """{"model_type":"qwen3_moe","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"max_position_embeddings":256,"intermediate_size":96,"moe_intermediate_size":EXPERTFFN,"num_experts":4,"num_experts_per_tok":2,"norm_topk_prob":true,"rms_norm_eps":EPS,"rope_theta":BASE}""" },
        { "olmo2", """{"model_type":"olmo2","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"max_position_embeddings":256,"intermediate_size":96,"rms_norm_eps":EPS,"rope_theta":BASE}""" },
        { "phi3", """{"model_type":"phi3","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"max_position_embeddings":256,"intermediate_size":96,"rms_norm_eps":EPS,"rope_theta":BASE}""" },
        { "gemma2", """{"model_type":"gemma2","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"max_position_embeddings":256,"intermediate_size":96,"rms_norm_eps":EPS,"rope_theta":BASE,"query_pre_attn_scalar":16,"sliding_window":WINDOW,"attn_logit_softcapping":ATTNCAP,"final_logit_softcapping":FINALCAP}""" },
        { "gemma2", """{"model_type":"gemma2","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"max_position_embeddings":256,"intermediate_size":96,"rms_norm_eps":EPS,"rope_theta":BASE,"layer_types":["sliding_attention","full_attention"],"query_pre_attn_scalar":16,"sliding_window":WINDOW,"attn_logit_softcapping":ATTNCAP,"final_logit_softcapping":FINALCAP}""" },
        { "gemma3", """{"model_type":"gemma3_text","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"max_position_embeddings":256,"intermediate_size":96,"rms_norm_eps":EPS,"rope_theta":BASE,"query_pre_attn_scalar":16,"sliding_window":WINDOW,"sliding_window_pattern":6,"rope_local_base_freq":10000}""" },
        { "gpt2", """{"model_type":"gpt2","n_embd":64,"n_layer":2,"n_head":4,"n_positions":256,"n_inner":96,"layer_norm_epsilon":EPS}""" },
        { "bert", """{"model_type":"bert","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"max_position_embeddings":256,"intermediate_size":96,"layer_norm_eps":EPS}""" },
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Models))]
    public void A_checkpoint_gives_the_numbers_of_the_gguf_file(string architecture, string config)
    {
        string gguf = Path.Combine(_folder, "model.gguf");
        string kvHeads = architecture is "gpt2" or "bert" ? "" : ",kv-heads=2";
        string experts = architecture == "qwen3moe" ? ",experts=4,experts-used=2" : "";
        SyntheticModel.Write(gguf, SyntheticModelOptions.Parse($"layers=2,width=64,ffn=96,heads=4{kvHeads},vocabulary=320,context=256{experts}", architecture, "f32", 3));
        WriteCheckpoint(gguf, architecture, config);
        var options = new ModelOptions { Activations = ActivationPrecision.Float32 };
        using var expected = Model.Load(gguf, options: options);
        using var actual = Model.Load(_folder, options: options);
        int[] ids = TestModels.RandomIds(20, 320, seed: 4);

        Assert.Equal(architecture, actual.Config.Architecture);
        float[] expectedValues = expected.Config.IsEncoder ? expected.Embed(ids) : expected.Logits(ids);
        float[] actualValues = actual.Config.IsEncoder ? actual.Embed(ids) : actual.Logits(ids);
        Assert.InRange(TestModels.MaxDifference(expectedValues, actualValues), 0, Tolerance * expectedValues.Max(Math.Abs));
    }

    private void WriteCheckpoint(string gguf, string architecture, string config)
    {
        using var file = ModelFile.Open(gguf);
        var names = new HuggingFaceNames(architecture);
        var tensors = new List<(string Name, long[] Shape, float[] Values)>();
        foreach (var entry in file.Tensors)
        {
            var values = new float[entry.Rows * entry.Columns];
            entry.Format.Decode(file.Bytes(entry), values);
            if (names.StoresNormsLessOne && entry.Name.Contains("norm", StringComparison.Ordinal)) values = [.. values.Select(v => v - 1)];
            if (entry.Name.Contains("_exps", StringComparison.Ordinal))
            {
                int count = (int)entry.Shape[0];
                int size = values.Length / count;
                for (int e = 0; e < count; e++) tensors.Add((names.Candidates(entry.Name, e).First(), entry.Shape[1..], values[(e * size)..((e + 1) * size)]));
            }
            else if (names.TransposesLinear(entry.Name) && entry.Shape.Length == 2)
            {
                var (rows, columns) = ((int)entry.Shape[0], (int)entry.Shape[1]);
                var turned = new float[values.Length];
                for (int i = 0; i < values.Length; i++) turned[(i % columns * rows) + (i / columns)] = values[i];
                tensors.Add((names.Candidates(entry.Name).First(), [columns, rows], turned));
            }
            else
            {
                tensors.Add((names.Candidates(entry.Name).First(), entry.Shape, values));
            }
        }

        var metadata = file.Metadata;
        string Number(string key) => metadata.GetNumber($"{architecture}.{key}", 0)!.Value.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        File.WriteAllText(Path.Combine(_folder, "config.json"), config
            .Replace("EPS", Number(architecture is "gpt2" or "bert" ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"), StringComparison.Ordinal)
            .Replace("BASE", Number("rope.freq_base"), StringComparison.Ordinal)
            .Replace("EXPERTFFN", Number("expert_feed_forward_length"), StringComparison.Ordinal)
            .Replace("WINDOW", Number("attention.sliding_window"), StringComparison.Ordinal)
            .Replace("ATTNCAP", Number("attn_logit_softcapping"), StringComparison.Ordinal)
            .Replace("FINALCAP", Number("final_logit_softcapping"), StringComparison.Ordinal));
        string[] shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        var map = tensors.Select((t, i) => (t.Name, Shard: shards[i % 2])).ToDictionary(t => t.Name, t => t.Shard);
        File.WriteAllText(Path.Combine(_folder, "model.safetensors.index.json"), JsonSerializer.Serialize(new { metadata = new { }, weight_map = map }));
        foreach (string shard in shards) WriteShard(Path.Combine(_folder, shard), [.. tensors.Where(t => map[t.Name] == shard)]);
    }

    private static void WriteShard(string path, (string Name, long[] Shape, float[] Values)[] tensors)
    {
        var header = new Dictionary<string, object>();
        long offset = 0;
        foreach (var (name, shape, values) in tensors)
        {
            header[name] = new { dtype = "F32", shape, data_offsets = new[] { offset, offset + (values.Length * 4L) } };
            offset += values.Length * 4L;
        }

        byte[] json = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(header));
        using var stream = File.Create(path);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        stream.Write(length);
        stream.Write(json);
        foreach (var (_, _, values) in tensors) stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values));
    }
}
