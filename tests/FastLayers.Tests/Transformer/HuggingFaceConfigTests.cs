using System.Text;
using FastLayers.Architectures;
using FastLayers.Loading;

namespace FastLayers.Tests.Transformer;

/// <summary>What keys of <c>config.json</c> mean: each is applied, changes nothing, or is refused by its name.</summary>
public sealed class HuggingFaceConfigTests
{
    /// <summary>Keys that every configuration below has, ahead of those of a test; a head has 16 values.</summary>
    private const string Base = """ "model_type":"MODEL","hidden_size":64,"num_hidden_layers":4,"num_attention_heads":4,"max_position_embeddings":4096,"intermediate_size":96 """;

    private const string Gpt2 = """ "model_type":"gpt2","n_embd":64,"n_layer":4,"n_head":4,"n_positions":256 """;

    private const string Caps = """ "attn_logit_softcapping":50.0,"final_logit_softcapping":30.0 """;

    [Theory]
    [InlineData("gemma2", Caps + ""","query_pre_attn_scalar":144""", 1 / 12.0)]
    [InlineData("gemma2", Caps, 1 / 16.0)]
    [InlineData("gemma3_text", "\"query_pre_attn_scalar\":168", 0.07715167498)]
    [InlineData("gpt2", "\"scale_attn_weights\":false", 1)]
    [InlineData("gpt2", "\"scale_attn_weights\":true", 0)]
    [InlineData("llama", "\"query_pre_attn_scalar\":144", 0)]
    public void The_scale_of_scores(string model, string extra, double scale) => Assert.Equal(scale, Read(model, extra).Attention.Scale, 1e-7);

    [Theory]
    [InlineData("gemma2", Caps + ""","sliding_window":8""", "wfwf")]
    [InlineData("gemma2", Caps + ""","sliding_window":8,"layer_types":["full_attention","sliding_attention","sliding_attention","full_attention"]""", "fwwf")]
    [InlineData("gemma3_text", "\"sliding_window\":8,\"sliding_window_pattern\":3", "wwfw")]
    [InlineData("gemma3_text", "\"sliding_window\":8,\"_sliding_window_pattern\":4", "wwwf")]
    [InlineData("gemma3_text", "\"sliding_window\":8,\"sliding_window_pattern\":1", "ffff")]
    [InlineData("gemma3_text", "\"sliding_window\":8", "wwww")]
    [InlineData("gemma3_text", "", "wwww")]
    [InlineData("mistral", "\"sliding_window\":8", "wwww")]
    [InlineData("mistral", "\"sliding_window\":null", "ffff")]
    [InlineData("llama", "\"sliding_window\":8", "ffff")]
    [InlineData("phi3", "\"sliding_window\":8", "wwww")]
    [InlineData("qwen2", "\"sliding_window\":8,\"max_window_layers\":1", "ffff")]
    [InlineData("qwen2", "\"sliding_window\":8,\"max_window_layers\":1,\"use_sliding_window\":false", "ffff")]
    [InlineData("qwen2", "\"sliding_window\":8,\"max_window_layers\":3,\"use_sliding_window\":true", "fffw")]
    [InlineData("qwen2", "\"sliding_window\":8,\"use_sliding_window\":true", "ffff")]
    [InlineData("qwen3", "\"sliding_window\":8,\"max_window_layers\":0,\"use_sliding_window\":true", "wwww")]
    [InlineData("qwen3", "\"sliding_window\":8,\"use_sliding_window\":true,\"layer_types\":[\"full_attention\",\"full_attention\",\"sliding_attention\",\"full_attention\"]", "ffwf")]
    [InlineData("qwen3", "\"use_sliding_window\":false,\"layer_types\":[\"full_attention\",\"full_attention\",\"full_attention\",\"full_attention\"]", "ffff")]
    public void Layers_with_a_sliding_window(string model, string extra, string windowed)
    {
        var attention = Read(model, extra).Attention;
        Assert.Equal(windowed, string.Concat(Enumerable.Range(0, 4).Select(layer => attention.IsWindowed(layer) ? 'w' : 'f')));
    }

    [Theory]
    [InlineData("gemma3_text", "\"rope_local_base_freq\":5000.0,\"rope_theta\":20000.0", 20000, 5000.0)]
    [InlineData("gemma3_text", "", 1e6, 10000.0)]
    [InlineData("gemma3_text", """ "rope_parameters":{"full_attention":{"rope_theta":30000.0},"sliding_attention":{"rope_type":"default","rope_theta":7000.0}} """, 30000, 7000.0)]
    [InlineData("qwen2", "", 10000, null)]
    public void Bases_of_the_rotary_frequencies(string model, string extra, double expected, double? local)
    {
        var config = Read(model, extra);
        Assert.Equal(expected, config.Rotary!.Base);
        Assert.Equal(local, config.LocalRotary?.Base);
    }

    [Theory]
    [InlineData("llama", """ "rope_scaling":{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":1024} """, 1.13862944)]
    [InlineData("llama", """ "rope_scaling":{"rope_type":"yarn","factor":4.0,"attention_factor":0.75} """, 0.75)]
    [InlineData("llama", """ "rope_scaling":{"rope_type":"yarn","factor":4.0,"mscale":0.5,"mscale_all_dim":2.0} """, 1.06931472 / 1.27725887)]
    [InlineData("llama", """ "rope_scaling":{"rope_type":"yarn","factor":4.0,"mscale":0.5} """, 1.13862944)]
    [InlineData("llama", """ "rope_scaling":{"rope_type":"yarn","original_max_position_embeddings":1024} """, 1.13862944)]
    [InlineData("phi3", """ "original_max_position_embeddings":1024,"rope_scaling":{"type":"longrope","short_factor":[1],"long_factor":[1]} """, 1.09544512)]
    [InlineData("phi3", """ "rope_scaling":{"type":"longrope","short_factor":[1],"long_factor":[1]} """, 1)]
    [InlineData("phi3", """ "original_max_position_embeddings":1024,"rope_scaling":{"type":"longrope","attention_factor":1.5,"short_factor":[1],"long_factor":[1]} """, 1.5)]
    public void Magnitude_of_the_rotary_positions(string model, string extra, double expected)
    {
        var rotary = Read(model, extra).Rotary!;
        double implied = rotary.Scaling is { Kind: RotaryScaling.ScalingKind.Yarn } yarn ? (0.1 * Math.Log(yarn.Factor)) + 1 : 1; // the device's part
        Assert.Equal(expected, implied * rotary.Magnitude, 1e-6);
    }

    [Theory]
    [InlineData("llama", "\"head_dim\":32", 32, 32)]
    [InlineData("llama", "\"partial_rotary_factor\":0.5", 16, 8)]
    [InlineData("phi3", "\"partial_rotary_factor\":0.75,\"attention_bias\":false", 16, 12)]
    [InlineData("qwen3", "\"partial_rotary_factor\":0.5", 128, 64)]
    [InlineData("gemma2", Caps, 256, 256)]
    public void Values_of_a_head_and_those_that_turn(string model, string extra, int keySize, int rotated)
    {
        var config = Read(model, extra);
        Assert.Equal((keySize, rotated), (config.Attention.KeySize, config.Rotary!.Dimensions));
    }

    [Theory]
    [InlineData("\"norm_topk_prob\":true,\"decoder_sparse_step\":1,\"mlp_only_layers\":[],\"use_sliding_window\":false", true)]
    [InlineData("\"norm_topk_prob\":false", false)]
    [InlineData("\"hidden_act\":\"silu\"", false)]
    public void Weights_of_the_experts(string extra, bool renormalized) =>
        Assert.Equal(renormalized, Read("qwen3_moe", extra + ",\"num_experts\":4,\"num_experts_per_tok\":2").FeedForward.RenormalizeExperts);

    [Theory]
    [InlineData("llama", 1e-6)]
    [InlineData("qwen2", 1e-6)]
    [InlineData("phi3", 1e-5)]
    [InlineData("bert", 1e-12)]
    [InlineData("gpt2", 1e-5)]
    public void Epsilons_that_are_left_out(string model, double expected) => Assert.Equal((float)expected, Read(model, "").Norm.Epsilon);

    [Fact]
    public void Soft_caps_of_gemma3_count_where_they_are_stated()
    {
        Assert.Equal((0f, 0f), (Read("gemma3_text", "").Attention.SoftCap, Read("gemma3_text", "").LogitSoftCap));
        Assert.Equal((50f, 30f), (Read("gemma3_text", Caps).Attention.SoftCap, Read("gemma3_text", Caps).LogitSoftCap));
    }

    [Theory]
    [InlineData("llama", """ "attention_dropout":0.0,"initializer_range":0.02,"use_cache":true,"torch_dtype":"bfloat16","architectures":["LlamaForCausalLM"],"pretraining_tp":2,"auto_map":{"AutoModel":"m.M"},"later_invention":7 """)]
    [InlineData("llama", """ "rope_scaling":null,"quantization_config":null,"pruned_heads":{},"is_causal":true,"use_bidirectional_attention":false """)]
    [InlineData("gpt2", """ "reorder_and_upcast_attn":true,"scale_attn_by_inverse_layer_idx":false,"activation_function":"gelu_new","add_cross_attention":false,"attn_pdrop":0.1 """)]
    [InlineData("bert", """ "position_embedding_type":"absolute","is_decoder":false,"is_causal":false,"classifier_dropout":null """)]
    [InlineData("olmo2", "\"clip_qkv\":null,\"attention_bias\":false")]
    [InlineData("qwen2", "\"attention_bias\":true,\"max_window_layers\":21")]
    public void What_changes_nothing_is_accepted(string model, string extra) => Read(model, extra);

    [Theory]
    [InlineData("llama", """ "quantization_config":{"quant_method":"gptq","bits":4} """, "'quantization_config' ('gptq') is not supported")]
    [InlineData("llama", """ "quantization_config":{"quant_method":"awq","modules_to_not_convert":[]} """, "('awq')")]
    [InlineData("llama", """ "compression_config":{"format":"pack-quantized"} """, "'compression_config' is not supported")]
    [InlineData("llama", """ "quantization":{"group_size":64,"bits":4} """, "'quantization' is not supported")]
    [InlineData("llama", "\"is_causal\":false", "'is_causal' should be true for llama, the only one that is supported, found false")]
    [InlineData("llama", """ "pruned_heads":{"0":[1]} """, "'pruned_heads' should be null for llama")]
    [InlineData("gemma3_text", "\"use_bidirectional_attention\":true", "'use_bidirectional_attention' should be false")]
    [InlineData("bert", "\"position_embedding_type\":\"relative_key\"", "'position_embedding_type' should be 'absolute' for bert, the only one that is supported, found 'relative_key'")]
    [InlineData("bert", "\"is_decoder\":true", "'is_decoder' should be false")]
    [InlineData("olmo2", "\"clip_qkv\":8.0", "'clip_qkv' should be null for olmo2, the only one that is supported, found 8")]
    [InlineData("gpt2", "\"scale_attn_by_inverse_layer_idx\":true", "'scale_attn_by_inverse_layer_idx' should be false")]
    [InlineData("gpt2", "\"add_cross_attention\":true", "'add_cross_attention' should be false")]
    [InlineData("qwen3_moe", "\"decoder_sparse_step\":2", "'decoder_sparse_step' should be 1 for qwen3_moe, the only one that is supported, found 2")]
    [InlineData("qwen3_moe", "\"mlp_only_layers\":[0,1]", "'mlp_only_layers' should be [] for qwen3_moe, the only one that is supported, found a list of 2")]
    [InlineData("qwen3_moe", "\"use_sliding_window\":true", "'use_sliding_window' should be false")]
    public void What_cannot_be_run_is_refused(string model, string extra, string named) =>
        Assert.Contains(named, Named(Assert.Throws<NotSupportedException>(() => Read(model, extra))), StringComparison.Ordinal);

    [Theory]
    [InlineData("llama", "\"rope_theta\":\"large\"", "metadata 'rope_theta' should be a number, found String large")]
    [InlineData("llama", """ "rope_parameters":{"rope_theta":"large"} """, "metadata 'rope_parameters.rope_theta' should be a number")]
    [InlineData("llama", "\"rms_norm_eps\":\"1e-5\"", "metadata 'rms_norm_eps' should be a number")]
    [InlineData("gpt2", "\"layer_norm_epsilon\":true", "metadata 'layer_norm_epsilon' should be a number")]
    [InlineData("qwen3_moe", "\"num_experts\":4,\"norm_topk_prob\":1", "metadata 'norm_topk_prob' should be a boolean")]
    [InlineData("llama", """ "rope_theta":{"global":1} """, "'rope_theta' should be one value")]
    [InlineData("llama", """ "rope_scaling":{"type":"yarn","factor":2.0,"beta_fast":{"a":1}} """, "'rope_scaling.beta_fast' should be one value")]
    [InlineData("llama", "\"rope_scaling\":\"linear\"", "'rope_scaling' should be an object, found 'linear'")]
    [InlineData("llama", """ "rope_scaling":{"type":"linear"} """, "'factor' should be there for rope type linear")]
    [InlineData("llama", """ "rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0} """, "'original_max_position_embeddings' should be there for rope type llama3")]
    [InlineData("llama", """ "rope_scaling":{"rope_type":"dynamic","factor":2.0} """, "'rope_scaling.rope_type' should be none, linear, yarn, llama3 or longrope, found dynamic")]
    [InlineData("llama", """ "rope_scaling":{"rope_type":"yarn"} """, "'factor' should be there for rope type yarn")]
    [InlineData("llama", """ "rope_scaling":{"rope_type":"yarn","factor":2.0,"attention_factor":-1.0} """, "'rope_scaling.attention_factor' should be a positive number, found -1")]
    [InlineData("llama", """ "rope_scaling":{"rope_type":"yarn","factor":2.0,"truncate":false} """, "'rope_scaling.truncate' should be true")]
    [InlineData("phi3", """ "rope_scaling":{"type":"longrope","short_factor":[1]} """, "'long_factor' should be there for rope type longrope")]
    [InlineData("gemma3_text", """ "rope_parameters":{"sliding_attention":{"rope_type":"linear"}} """, "'rope_parameters.sliding_attention.rope_type' should be default, found 'linear'")]
    [InlineData("llama", "\"partial_rotary_factor\":0", "'partial_rotary_factor' should be above 0, at most 1, found 0")]
    [InlineData("llama", "\"partial_rotary_factor\":0.7", "'partial_rotary_factor' should be an even number")]
    [InlineData("gemma2", Caps + ""","query_pre_attn_scalar":0""", "'query_pre_attn_scalar' should be a positive number, found 0")]
    [InlineData("gemma2", "\"attn_logit_softcapping\":null,\"final_logit_softcapping\":30.0", "'attn_logit_softcapping' should be a number, found none")]
    [InlineData("gemma2", Caps + ""","layer_types":["full_attention"]""", "'layer_types' should be one kind a layer, 4, found 1")]
    [InlineData("gemma2", Caps + ""","layer_types":["full_attention","full_attention","full_attention","chunked_attention"]""", "found 'chunked_attention'")]
    [InlineData("gemma2", Caps + ""","layer_types":[1,2,3,4]""", "metadata 'layer_types' should be an array of String")]
    [InlineData("gemma3_text", "\"sliding_window_pattern\":0", "'sliding_window_pattern' should be at least 1, found 0")]
    [InlineData("gemma3_text", "\"sliding_window\":-4", "metadata 'sliding_window' should be 0 to")]
    [InlineData("llama", """ "layer_types":["full_attention","full_attention","full_attention","sliding_attention"] """, "'layer_types' should be full_attention alone")]
    [InlineData("gpt2", "\"activation_function\":\"relu\"", "'activation_function' should be")]
    public void What_makes_no_sense_is_refused(string model, string extra, string named) =>
        Assert.Contains(named, Named(Assert.Throws<InvalidDataException>(() => Read(model, extra))), StringComparison.Ordinal);

    private static string Named(Exception exception)
    {
        Assert.StartsWith("config.json: ", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
        return exception.Message;
    }

    private static TransformerConfig Read(string model, string extra)
    {
        string first = (model == "gpt2" ? Gpt2 : Base).Replace("MODEL", model, StringComparison.Ordinal);
        byte[] json = Encoding.UTF8.GetBytes($"{{{first}{(extra.Length > 0 ? "," : "")}{extra}}}");
        var values = new Dictionary<string, object>();
        JsonContent.Parse<object?>("config.json", "content", json, root =>
        {
            new ConfigMetadata("config.json", json.Length, values).Add("config.", root);
            return null;
        });
        var metadata = HuggingFaceConfig.Of(new ModelMetadata("config.json", values))!.Translate();
        return new ConfigReader(metadata, Architecture.Get(metadata.GetString("general.architecture")!, "config.json")).Read(320);
    }
}
