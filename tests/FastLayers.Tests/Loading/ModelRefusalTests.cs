using FastLayers.Kernels.Formats;

namespace FastLayers.Tests.Loading;

/// <summary>Files that are sound but describe no model that can be run.</summary>
public sealed class ModelRefusalTests : IDisposable
{
    private const string Config = """{"model_type":"MODEL","hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"max_position_embeddings":64,"intermediate_size":8,"rms_norm_eps":1e-5EXTRA}""";

    private static readonly string s_sample = TestPaths.Sample("stories260K.gguf");

    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama.attention.layer_norm_rms_epsilon", -1f, "at least 0, found -1")]
    [InlineData("llama.attention.layer_norm_rms_epsilon", float.NaN, "finite")]
    [InlineData("llama.attention.head_count", -8, "1 to")]
    [InlineData("llama.attention.head_count", 7, "llama.attention.head_count")]
    [InlineData("llama.attention.head_count_kv", 3, "a divisor of the 8 query heads, found 3")]
    [InlineData("llama.block_count", 6, "tensor 'blk.5.")]
    [InlineData("llama.block_count", long.MaxValue, "1 to 4096, found 9223372036854775807")]
    [InlineData("llama.embedding_length", 72, "should be [512, 72], found [512, 64]")]
    [InlineData("llama.feed_forward_length", 0, "1 to")]
    [InlineData("llama.context_length", -1L, "1 to")]
    [InlineData("llama.context_length", "512", "an integer")]
    [InlineData("llama.rope.dimension_count", 7, "an even number")]
    [InlineData("llama.rope.freq_base", 0f, "rotary")]
    [InlineData("llama.rope.freq_base", -10000f, "rotary")]
    [InlineData("llama.rope.scaling.factor", -2f, "a positive number")]
    [InlineData("llama.attention.sliding_window_pattern", new bool[] { true, false }, "one value a layer, 5, found 2")]
    [InlineData("llama.attention.scale", -1f, "at least 0, found -1")]
    [InlineData("llama.expert_count", 4, "tensor 'blk.0.ffn_")]
    public void Metadata_that_makes_no_sense(string key, object value, string named) =>
        Refused(EditedModel.Write(s_sample, _folder.PathOf("model.gguf"), new() { [key] = value }), named);

    [Fact]
    public void A_tensor_that_is_missing_or_of_another_shape()
    {
        const string name = "blk.3.attn_k.weight";
        Refused(EditedModel.Write(s_sample, _folder.PathOf("a.gguf"), tensors: new() { [name] = null }), $"tensor '{name}' is missing");
        Refused(EditedModel.Write(s_sample, _folder.PathOf("b.gguf"), tensors: new() { [name] = ([64, 32], Format.F32, new float[64 * 32]) }), $"tensor '{name}' should be [32, 64], found [64, 32]");
        Refused(EditedModel.Write(s_sample, _folder.PathOf("c.gguf"), tensors: new() { ["blk.3.attn_norm.weight"] = ([63], Format.F32, new float[63]) }), "should be [64], found [63]");
    }

    [Theory]
    [InlineData("phi3", ",\"rope_scaling\":{\"type\":\"longrope\",\"short_factor\":[\"a\",\"b\"],\"long_factor\":[1,1]}", "rope_scaling.short_factor")]
    [InlineData("phi3", ",\"rope_scaling\":{\"type\":\"longrope\",\"short_factor\":true,\"long_factor\":[1,1]}", "rope_scaling.short_factor")]
    [InlineData("phi3", ",\"rope_scaling\":{\"type\":\"longrope\",\"short_factor\":[1],\"long_factor\":[1,1]}", "should have 2 values, found 1")]
    [InlineData("llama", ",\"rope_scaling\":{\"type\":\"twist\",\"factor\":2}", "found twist")]
    [InlineData("llama", ",\"hidden_act\":\"relu\"", "hidden_act")]
    [InlineData("llama", ",\"hidden_act\":7", "hidden_act")]
    [InlineData("gemma2", ",\"hidden_activation\":\"gelu\"", "hidden_activation")]
    [InlineData("llama", ",\"head_dim\":-4", "metadata 'head_dim' should be")]
    [InlineData("llama", ",\"partial_rotary_factor\":1e300", "'partial_rotary_factor' should be above 0, at most 1, found 1E+300")]
    [InlineData("llama", ",\"rope_theta\":\"large\"", "metadata 'rope_theta' should be a number")]
    [InlineData("llama", ",\"tie_word_embeddings\":false", "'lm_head.weight' is missing")]
    public void A_configuration_that_makes_no_sense(string model, string extra, string named)
    {
        _folder.Write("config.json", Config.Replace("MODEL", model, StringComparison.Ordinal).Replace("EXTRA", extra, StringComparison.Ordinal));
        SafetensorsModel.WriteLlama(_folder.PathOf("model.safetensors"), vocabulary: 10, width: 8);
        Refused(_folder.Path, named);
    }

    [Theory]
    [InlineData(true, ",\"attention_bias\":true", "'attention_bias' is true, but tensor 'model.layers.0.self_attn.q_proj.bias' is missing")]
    [InlineData(true, ",\"mlp_bias\":true", "'mlp_bias' is true, but tensor 'model.layers.0.mlp.gate_proj.bias' is missing")]
    [InlineData(true, ",\"attention_bias\":false,\"mlp_bias\":false", null)]
    [InlineData(false, ",\"attention_bias\":false", "'attention_bias' is false, but tensor 'model.layers.0.self_attn.q_proj.bias' is there")]
    [InlineData(false, ",\"attention_bias\":true", null)]
    public void Biases_are_there_as_the_configuration_says(bool without, string extra, string? named)
    {
        _folder.Write("config.json", Config.Replace("MODEL", "llama", StringComparison.Ordinal).Replace("EXTRA", extra, StringComparison.Ordinal));
        SafetensorsModel.WriteLlama(_folder.PathOf("model.safetensors"), vocabulary: 10, width: 8, attentionBias: !without);
        if (named is not null) Refused(_folder.Path, named);
        else Model.Load(_folder.Path).Dispose();
    }

    [Fact]
    public void A_key_that_is_missing_is_named_as_the_file_would()
    {
        _folder.Write("config.json", """{"model_type":"llama","num_hidden_layers":1,"num_attention_heads":2}""");
        SafetensorsModel.WriteLlama(_folder.PathOf("model.safetensors"), vocabulary: 10, width: 8);
        Refused(_folder.Path, "config.json: metadata 'hidden_size' or 'n_embd' is missing");
    }

    [Fact]
    public void A_configuration_without_a_flaw_loads()
    {
        _folder.Write("config.json", Config.Replace("MODEL", "llama", StringComparison.Ordinal).Replace("EXTRA", ",\"hidden_act\":\"silu\"", StringComparison.Ordinal));
        SafetensorsModel.WriteLlama(_folder.PathOf("model.safetensors"), vocabulary: 10, width: 8);
        using var model = Model.Load(_folder.Path);
        Assert.All(model.Logits([1, 2]), value => Assert.True(float.IsFinite(value)));
    }

    [Theory]
    [InlineData(""","rope_parameters":{"rope_type":"default","rope_theta":500000.0}""")]
    [InlineData(""","rope_parameters":{"full_attention":{"rope_type":"default","rope_theta":500000.0},"sliding_attention":{"rope_type":"default","rope_theta":10000.0}}""")]
    public void Rotary_parameters_in_an_object_of_their_own_count(string extra)
    {
        _folder.Write("config.json", Config.Replace("MODEL", "llama", StringComparison.Ordinal).Replace("EXTRA", extra, StringComparison.Ordinal));
        SafetensorsModel.WriteLlama(_folder.PathOf("model.safetensors"), vocabulary: 10, width: 8);
        using var model = Model.Load(_folder.Path);
        Assert.Equal(500_000, model.Config.Rotary!.Base);
        Assert.Null(model.Config.Rotary.Scaling);
    }

    [Fact]
    public void A_scaling_in_the_rotary_parameters_counts()
    {
        _folder.Write("config.json", Config.Replace("MODEL", "llama", StringComparison.Ordinal)
            .Replace("EXTRA", ""","rope_parameters":{"rope_type":"llama3","rope_theta":500000.0,"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":32}""", StringComparison.Ordinal));
        SafetensorsModel.WriteLlama(_folder.PathOf("model.safetensors"), vocabulary: 10, width: 8);
        using var model = Model.Load(_folder.Path);
        var scaling = model.Config.Rotary!.Scaling!;
        Assert.Equal((RotaryScaling.ScalingKind.Llama3, 8, 32), (scaling.Kind, scaling.Factor, scaling.OriginalContext));
    }

    [Fact]
    public void A_sentence_encoder_without_blocks()
    {
        SafetensorsModel.Write(_folder.PathOf("model.safetensors"),
            ("pos.inv_timescales", [2]), ("blk.0.residual_proj.weight", [8, 4]), ("token_embd.weight", [10, 4]), ("blk.0.ffn_up.weight", [8, 8]), ("head.weight", [4, 8]));
        Refused(_folder.PathOf("model.safetensors"), "blk.0.attn_qkv.weight");
    }

    private static void Refused(string path, string named)
    {
        string message = Assert.Throws<InvalidDataException>(() => Model.Load(path).Dispose()).Message;
        Assert.Contains(Path.GetDirectoryName(path)!, message, StringComparison.Ordinal);
        Assert.Contains(named, message, StringComparison.Ordinal);
    }
}
