using System.Globalization;

namespace FastLayers.Architectures;

/// <summary>Tensor names of Hugging Face checkpoints for the GGUF names that the engine asks for.</summary>
internal sealed class HuggingFaceNames(string architecture)
{
    private static readonly Dictionary<string, string> s_llama = new(StringComparer.Ordinal)
    {
        ["token_embd"] = "model.embed_tokens",
        ["output_norm"] = "model.norm",
        ["output"] = "lm_head",
        ["blk"] = "model.layers.{0}.",
        ["attn_norm"] = "input_layernorm",
        ["attn_q"] = "self_attn.q_proj",
        ["attn_k"] = "self_attn.k_proj",
        ["attn_v"] = "self_attn.v_proj",
        ["attn_qkv"] = "self_attn.qkv_proj",
        ["attn_output"] = "self_attn.o_proj",
        ["attn_q_norm"] = "self_attn.q_norm",
        ["attn_k_norm"] = "self_attn.k_norm",
        ["ffn_norm"] = "post_attention_layernorm",
        ["ffn_gate"] = "mlp.gate_proj",
        ["ffn_up"] = "mlp.up_proj",
        ["ffn_down"] = "mlp.down_proj",
        ["ffn_gate_inp"] = "mlp.gate",
        ["ffn_gate_exps"] = "mlp.experts.{1}.gate_proj",
        ["ffn_up_exps"] = "mlp.experts.{1}.up_proj",
        ["ffn_down_exps"] = "mlp.experts.{1}.down_proj",
    };

    private static readonly Dictionary<string, string> s_postNorms = new(StringComparer.Ordinal)
    {
        ["post_attention_norm"] = "post_attention_layernorm",
        ["ffn_norm"] = "pre_feedforward_layernorm",
        ["post_ffw_norm"] = "post_feedforward_layernorm",
    };

    private static readonly Dictionary<string, string> s_gpt2 = new(StringComparer.Ordinal)
    {
        ["token_embd"] = "wte",
        ["position_embd"] = "wpe",
        ["output_norm"] = "ln_f",
        ["output"] = "lm_head",
        ["blk"] = "h.{0}.",
        ["attn_norm"] = "ln_1",
        ["attn_qkv"] = "attn.c_attn",
        ["attn_output"] = "attn.c_proj",
        ["ffn_norm"] = "ln_2",
        ["ffn_up"] = "mlp.c_fc",
        ["ffn_down"] = "mlp.c_proj",
    };

    private static readonly Dictionary<string, string> s_bert = new(StringComparer.Ordinal)
    {
        ["token_embd"] = "embeddings.word_embeddings",
        ["position_embd"] = "embeddings.position_embeddings",
        ["token_types"] = "embeddings.token_type_embeddings",
        ["token_embd_norm"] = "embeddings.LayerNorm",
        ["blk"] = "encoder.layer.{0}.",
        ["attn_q"] = "attention.self.query",
        ["attn_k"] = "attention.self.key",
        ["attn_v"] = "attention.self.value",
        ["attn_output"] = "attention.output.dense",
        ["attn_output_norm"] = "attention.output.LayerNorm",
        ["ffn_up"] = "intermediate.dense",
        ["ffn_down"] = "output.dense",
        ["layer_output_norm"] = "output.LayerNorm",
    };

    /// <summary>Whether the checkpoint stores linear maps as [inputs, outputs] (GPT-2's Conv1D).</summary>
    public bool TransposesLinear(string name) => architecture == "gpt2" && name.StartsWith("blk.", StringComparison.Ordinal) && !name.Contains("norm", StringComparison.Ordinal);

    /// <summary>Whether norm weights are stored less one (Gemma).</summary>
    public bool StoresNormsLessOne => architecture.StartsWith("gemma", StringComparison.Ordinal);

    /// <summary>Candidates for the name of a tensor in the checkpoint, best first.</summary>
    /// <param name="name">GGUF name such as <c>blk.3.attn_q.weight</c>.</param>
    /// <param name="expert">The expert, for names of expert matrices.</param>
    public IEnumerable<string> Candidates(string name, int expert = 0)
    {
        var table = architecture switch { "gpt2" => s_gpt2, "bert" => s_bert, _ => s_llama };
        int dot = name.LastIndexOf('.');
        string stem = name[..dot];
        string suffix = name[dot..];
        string prefix = "";
        if (stem.StartsWith("blk.", StringComparison.Ordinal))
        {
            string[] parts = stem.Split('.', 3);
            prefix = string.Format(CultureInfo.InvariantCulture, table["blk"], parts[1]);
            stem = parts[2];
        }

        string? target = HasPostNorms && s_postNorms.TryGetValue(stem, out var postNorm) ? postNorm : table.GetValueOrDefault(stem);
        if (architecture == "phi3" && stem == "ffn_up") target = "mlp.gate_up_proj";
        if (target is null) yield break;
        string full = prefix + string.Format(CultureInfo.InvariantCulture, target, 0, expert) + suffix;
        yield return full;
        if (architecture == "gpt2") yield return "transformer." + full;
        if (architecture == "bert") yield return "bert." + full;
    }

    private bool HasPostNorms => architecture is "gemma2" or "gemma3" or "olmo2";
}
