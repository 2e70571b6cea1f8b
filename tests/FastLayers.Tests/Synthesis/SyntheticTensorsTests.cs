using System.Globalization;
using FastLayers.Kernels.Formats;
using FastLayers.Loading;
using FastLayers.Synthesis;

namespace FastLayers.Tests.Synthesis;

/// <summary>The tensor names and shapes that llama.cpp's loader asks for, architecture by architecture.</summary>
public sealed class SyntheticTensorsTests : IDisposable
{
    private const string Shape = "layers=1,width=64,ffn=96,heads=4,vocabulary=320,context=128";

    private const string Attention = "attn_norm 64, attn_q 64 64, attn_k 32 64, attn_v 32 64, attn_output 64 64, ";
    private const string WideAttention = "attn_norm 64, attn_q 128 64, attn_k 64 64, attn_v 64 64, attn_q_norm 32, attn_k_norm 32, attn_output 64 128, ";
    private const string Gated = "ffn_norm 64, ffn_gate 96 64, ffn_up 96 64, ffn_down 64 96";

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"tensors-{Guid.NewGuid():N}.gguf");

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData("llama", "kv-heads=2", "token_embd 320 64, output_norm 64, output 320 64", Attention + Gated)]
    [InlineData("llama", "kv-heads=2,tied=true", "token_embd 320 64, output_norm 64", Attention + Gated)]
    [InlineData("llama", "kv-heads=2,rope-scaling=llama3,rope-factor=8", "token_embd 320 64, rope_freqs 8, output_norm 64, output 320 64", Attention + Gated)]
    [InlineData("qwen2", "kv-heads=2", "token_embd 320 64, output_norm 64, output 320 64", Attention + "attn_q.bias 64, attn_k.bias 32, attn_v.bias 32, " + Gated)]
    [InlineData("qwen3", "kv-heads=2,head-size=32", "token_embd 320 64, output_norm 64, output 320 64", WideAttention + Gated)]
    [InlineData("qwen3moe", "kv-heads=2,head-size=32,experts=8,experts-used=2", "token_embd 320 64, output_norm 64, output 320 64",
        WideAttention + "ffn_norm 64, ffn_gate_inp 8 64, ffn_gate_exps 8 96 64, ffn_up_exps 8 96 64, ffn_down_exps 8 64 96")]
    [InlineData("gemma2", "kv-heads=2", "token_embd 320 64, output_norm 64", Attention + Gated + ", post_attention_norm 64, post_ffw_norm 64")]
    [InlineData("gemma3", "kv-heads=2,head-size=32", "token_embd 320 64, output_norm 64", WideAttention + Gated + ", post_attention_norm 64, post_ffw_norm 64")]
    [InlineData("phi3", "kv-heads=2", "token_embd 320 64, output_norm 64, output 320 64", "attn_norm 64, attn_qkv 128 64, attn_output 64 64, ffn_norm 64, ffn_up 192 64, ffn_down 64 96")]
    [InlineData("phi3", "rope-scaling=longrope,original-context=64,rope-dimensions=12", "token_embd 320 64, rope_factors_long 6, rope_factors_short 6, output_norm 64, output 320 64",
        "attn_norm 64, attn_qkv 192 64, attn_output 64 64, ffn_norm 64, ffn_up 192 64, ffn_down 64 96")]
    [InlineData("gpt2", "", "token_embd 320 64, position_embd 128 64, output_norm 64, output_norm.bias 64",
        "attn_norm 64, attn_norm.bias 64, attn_qkv 192 64, attn_qkv.bias 192, attn_output 64 64, attn_output.bias 64, ffn_norm 64, ffn_norm.bias 64, "
        + "ffn_up 96 64, ffn_up.bias 96, ffn_down 64 96, ffn_down.bias 64")]
    [InlineData("olmo2", "kv-heads=2", "token_embd 320 64, output_norm 64, output 320 64",
        "attn_q 64 64, attn_k 32 64, attn_v 32 64, attn_q_norm 64, attn_k_norm 32, attn_output 64 64, post_attention_norm 64, ffn_gate 96 64, ffn_up 96 64, ffn_down 64 96, post_ffw_norm 64")]
    [InlineData("bert", "", "token_embd 320 64, token_types 2 64, position_embd 128 64, token_embd_norm 64, token_embd_norm.bias 64",
        "attn_q 64 64, attn_q.bias 64, attn_k 64 64, attn_k.bias 64, attn_v 64 64, attn_v.bias 64, attn_output 64 64, attn_output.bias 64, attn_output_norm 64, attn_output_norm.bias 64, "
        + "ffn_up 96 64, ffn_up.bias 96, ffn_down 64 96, ffn_down.bias 64, layer_output_norm 64, layer_output_norm.bias 64")]
    public void Tensors_have_the_names_and_shapes_of_llama_cpp(string architecture, string shape, string global, string layer)
    {
        using var file = Write(architecture, shape, "q4_0");
        var expected = global.Split(", ").Select(tensor => Describe("", tensor)).Concat(layer.Split(", ").Select(tensor => Describe("blk.0.", tensor)));
        Assert.Equal(expected.Order(StringComparer.Ordinal), file.Tensors.Select(tensor => $"{tensor.Name} {string.Join(' ', tensor.Shape)}").Order(StringComparer.Ordinal));

        string[] always = ["token_types.weight", "position_embd.weight", "blk.0.ffn_gate_inp.weight"];
        foreach (var tensor in file.Tensors)
            Assert.Equal(tensor.Shape.Length == 1 || always.Contains(tensor.Name) ? Format.F32 : Format.Q4_0, tensor.Format);
    }

    [Theory]
    [InlineData("llama", "kv-heads=2,head-size=32", "attention.head_count_kv 2, attention.key_length 32, attention.value_length 32, rope.dimension_count 32, feed_forward_length 96")]
    [InlineData("llama", "rope-scaling=linear,rope-factor=4", "rope.scaling.type linear, rope.scaling.factor 4, attention.layer_norm_rms_epsilon 1E-05")]
    [InlineData("llama", "rope-scaling=yarn,rope-factor=4", "rope.scaling.type yarn, rope.scaling.factor 4, rope.scaling.original_context_length 32")]
    [InlineData("qwen3", "", "attention.key_length 16, attention.value_length 16")]
    [InlineData("qwen3moe", "experts=8,experts-used=2", "expert_count 8, expert_used_count 2, expert_feed_forward_length 96")]
    [InlineData("gemma2", "window=8", "attention.sliding_window 8, attn_logit_softcapping 50, final_logit_softcapping 30, attention.key_length 16")]
    [InlineData("gemma3", "", "attention.sliding_window 1024, rope.freq_base 1000000, attention.key_length 16")]
    [InlineData("phi3", "rope-scaling=longrope,original-context=64,rope-dimensions=12", "rope.dimension_count 12, rope.scaling.type longrope, rope.scaling.original_context_length 64, rope.scaling.attn_factor 1.0801234")]
    [InlineData("gpt2", "", "attention.layer_norm_epsilon 1E-05, context_length 128")]
    [InlineData("bert", "", "attention.layer_norm_epsilon 1E-12, attention.causal False, pooling_type 1")]
    public void Metadata_has_the_keys_of_llama_cpp(string architecture, string shape, string values)
    {
        using var file = Write(architecture, shape, "f32");
        Assert.Equal(architecture, file.Metadata.GetString("general.architecture"));
        foreach (var pair in values.Split(", ").Select(pair => pair.Split(' ')))
            Assert.Equal(pair[1], Convert.ToString(file.Metadata.Values[$"{architecture}.{pair[0]}"], CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("llama", 260)]
    [InlineData("llama", 5000)]
    [InlineData("gpt2", 257)]
    [InlineData("gpt2", 300)]
    [InlineData("qwen2", 5000)]
    [InlineData("bert", 5)]
    [InlineData("bert", 5000)]
    public void Vocabularies_have_distinct_tokens_and_complete_tables(string architecture, int count)
    {
        using var file = Write(architecture, $"vocabulary={count}", "f32");
        var tokens = file.Metadata.GetArray<string>("tokenizer.ggml.tokens")!;
        Assert.Equal(count, tokens.Distinct().Count());
        Assert.Equal(count, file.Metadata.GetArray<int>("tokenizer.ggml.token_type")!.Length);
        Assert.Equal(count, file.GetTensor("token_embd.weight").Rows);
        Assert.All(file.Metadata.Values.Where(pair => pair.Key.EndsWith("_token_id", StringComparison.Ordinal)), pair => Assert.InRange((uint)pair.Value, 0u, (uint)count - 1));
        foreach (var merge in file.Metadata.GetArray<string>("tokenizer.ggml.merges") ?? [])
        {
            var parts = merge.Split(' ');
            Assert.Equal(2, parts.Length);
            Assert.All([parts[0], parts[1], parts[0] + parts[1]], piece => Assert.Contains(piece, tokens));
        }
    }

    private static string Describe(string prefix, string tensor)
    {
        var parts = tensor.Split(' ', 2);
        return $"{prefix}{parts[0]}{(parts[0].EndsWith(".bias", StringComparison.Ordinal) ? "" : ".weight")} {parts[1]}";
    }

    private ModelFile Write(string architecture, string shape, string format)
    {
        var merged = Transformer.ArchitectureVariants.Merge(Shape, shape.Length == 0 ? "layers=1" : shape);
        SyntheticModel.Write(_path, SyntheticModelOptions.Parse(merged, architecture, format), cancellation: TestContext.Current.CancellationToken);
        return ModelFile.Open(_path);
    }
}
