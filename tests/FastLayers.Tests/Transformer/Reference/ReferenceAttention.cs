namespace FastLayers.Tests.Transformer.Reference;

/// <summary>The attention of one layer over all positions.</summary>
internal sealed class ReferenceAttention(ReferenceConfig config, ReferenceWeights weights, ReferenceRotary? rotary, int layer, Action<string, double[][]> observe)
{
    private readonly string _prefix = $"blk.{layer}.";

    /// <summary>Queries, keys and values of the inputs, attention, and the output projection.</summary>
    public double[][] Run(double[][] inputs)
    {
        var (queries, keys, values) = Project(inputs);
        observe("q_proj", Copy(queries));
        observe("k_proj", Copy(keys));
        observe("v_proj", values);
        for (var position = 0; position < inputs.Length; position++)
        {
            queries[position] = Normalize(queries[position], "attn_q_norm");
            keys[position] = Normalize(keys[position], "attn_k_norm");
            Rotate(queries[position], position);
            Rotate(keys[position], position);
        }
        observe("q_rope", queries);
        observe("k_rope", keys);
        var mixed = new double[inputs.Length][];
        for (var position = 0; position < inputs.Length; position++) mixed[position] = Attend(queries[position], keys, values, position);
        observe("kqv_out", mixed);
        return [.. mixed.Select(vector => weights.Project(_prefix + "attn_output", vector))];
    }

    private (double[][] Queries, double[][] Keys, double[][] Values) Project(double[][] inputs)
    {
        if (!weights.Has(_prefix + "attn_qkv.weight"))
        {
            double[][] All(string name) => [.. inputs.Select(input => weights.Project(_prefix + name, input))];
            return (All("attn_q"), All("attn_k"), All("attn_v"));
        }
        var fused = inputs.Select(input => weights.Project(_prefix + "attn_qkv", input)).ToArray();
        var (queryLength, keyLength) = (config.Heads * config.HeadSize, config.KeyValueHeads * config.HeadSize);
        double[][] Part(int start, int length) => [.. fused.Select(row => row[start..(start + length)])];
        return (Part(0, queryLength), Part(queryLength, keyLength), Part(queryLength + keyLength, keyLength));
    }

    /// <summary>The norm of queries or keys, over each head or over all of them, as long as its weights are.</summary>
    private double[] Normalize(double[] vector, string name)
    {
        if (!weights.Has($"{_prefix}{name}.weight")) return vector;
        var weight = weights.Values($"{_prefix}{name}.weight");
        var output = new List<double>();
        for (var start = 0; start < vector.Length; start += weight.Length)
            output.AddRange(ReferenceMath.RmsNorm(vector.AsSpan(start, weight.Length), weight, config.Epsilon));
        return [.. output];
    }

    private void Rotate(double[] vector, int position)
    {
        for (var start = 0; start < vector.Length; start += config.HeadSize) rotary?.Rotate(vector.AsSpan(start, config.HeadSize), position);
    }

    private double[] Attend(double[] query, double[][] keys, double[][] values, int position)
    {
        var visible = Enumerable.Range(0, keys.Length).Where(other => Sees(position, other)).ToArray();
        var output = new double[query.Length];
        for (var head = 0; head < config.Heads; head++)
        {
            var (queryStart, keyStart) = (head * config.HeadSize, head / (config.Heads / config.KeyValueHeads) * config.HeadSize);
            var scores = new double[visible.Length];
            for (var i = 0; i < visible.Length; i++)
            {
                double dot = 0;
                for (var j = 0; j < config.HeadSize; j++) dot += query[queryStart + j] * keys[visible[i]][keyStart + j];
                scores[i] = ReferenceMath.SoftCap(dot * config.AttentionScale, config.AttentionCap);
            }
            var shares = ReferenceMath.Softmax(scores);
            for (var i = 0; i < visible.Length; i++)
            {
                for (var j = 0; j < config.HeadSize; j++) output[queryStart + j] += shares[i] * values[visible[i]][keyStart + j];
            }
        }
        return output;
    }

    /// <summary>Causal layers look back only; layers with a window at most <c>Window</c> positions, their own included.</summary>
    private bool Sees(int position, int other) =>
        !config.Causal || (other <= position && (!config.IsLocal(layer) || position - other < config.Window));

    private static double[][] Copy(double[][] rows) => [.. rows.Select(row => row.ToArray())];
}
