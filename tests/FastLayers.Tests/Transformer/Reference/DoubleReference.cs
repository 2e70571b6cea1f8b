using FastLayers.Loading;

namespace FastLayers.Tests.Transformer.Reference;

/// <summary>What a forward pass computed; rows are positions.</summary>
/// <param name="Logits"><c>[positions][vocabulary]</c>; empty for encoders.</param>
/// <param name="Hidden"><c>[positions][width]</c> after the last norm.</param>
/// <param name="Residuals"><c>[layers][positions][width]</c>: the residual stream after every layer.</param>
/// <param name="Inner">Inner values by the name that llama.cpp gives them and the layer, e.g. <c>attn_norm-0</c>.</param>
internal sealed record ReferenceRun(double[][] Logits, double[][] Hidden, double[][][] Residuals, IReadOnlyDictionary<string, double[][]> Inner);

/// <summary>
/// A forward pass in double precision, in plain loops, that shares no code with the product's transformer beyond reading the
/// file: what every architecture's numbers are compared with.
/// </summary>
internal sealed class DoubleReference
{
    private readonly ReferenceConfig _config;
    private readonly ReferenceWeights _weights;
    private readonly Dictionary<string, double[][]> _inner = [];
    private readonly int _context;

    /// <param name="file">A GGUF model.</param>
    /// <param name="context">The length of the session, where it matters (LongRoPE); the model's context if not given.</param>
    public DoubleReference(ModelFile file, int? context = null)
    {
        _config = new ReferenceConfig(file.Metadata);
        _weights = new ReferenceWeights(file);
        _context = context ?? _config.Context;
    }

    /// <summary>Runs all layers over a sequence that starts at position 0.</summary>
    public ReferenceRun Forward(IReadOnlyList<int> ids)
    {
        _inner.Clear();
        var stream = ids.Select(Embed).ToArray();
        var residuals = new double[_config.Layers][][];
        for (var layer = 0; layer < _config.Layers; layer++) residuals[layer] = stream = RunLayer(stream, layer);

        if (!_weights.Has("output_norm.weight")) return new ReferenceRun([], stream, residuals, new Dictionary<string, double[][]>(_inner));
        var hidden = Normalize(stream, "output_norm");
        var output = _weights.Has("output.weight") ? "output" : "token_embd";
        var logits = hidden.Select(vector => _weights.Project(output, vector).Select(logit => ReferenceMath.SoftCap(logit, _config.LogitCap)).ToArray()).ToArray();
        return new ReferenceRun(logits, hidden, residuals, new Dictionary<string, double[][]>(_inner));
    }

    private double[] Embed(int id, int position)
    {
        var vector = _weights.Row("token_embd.weight", id);
        if (_config.IsGemma) vector = [.. vector.Select(value => value * Math.Sqrt(_config.Width))];
        if (_weights.Has("position_embd.weight")) vector = ReferenceMath.Add(vector, _weights.Row("position_embd.weight", position));
        if (_weights.Has("token_types.weight")) vector = ReferenceMath.Add(vector, _weights.Row("token_types.weight", 0));
        return Normalize(vector, "token_embd_norm");
    }

    /// <summary>
    /// One layer. Each norm is applied where the file has it: before a block, after a block (before it is added), or after it was
    /// added.
    /// </summary>
    private double[][] RunLayer(double[][] input, int layer)
    {
        void Observe(string name, double[][] rows) => _inner[$"{name}-{layer}"] = rows;
        double[][] Norm(double[][] rows, string name) => Normalize(rows, $"blk.{layer}.{name}");

        var rotary = _weights.Has("position_embd.weight") ? null : new ReferenceRotary(_config, _weights, _config.Architecture == "gemma3" && _config.IsLocal(layer), _context);
        var normalized = Norm(input, "attn_norm");
        Observe("attn_norm", normalized);
        var attention = new ReferenceAttention(_config, _weights, rotary, layer, Observe).Run(normalized);
        Observe("attn_out", attention);
        var middle = Norm(Add(input, Norm(attention, "post_attention_norm")), "attn_output_norm");
        Observe("ffn_inp", middle);

        normalized = Norm(middle, "ffn_norm");
        Observe("ffn_norm", normalized);
        var network = new ReferenceFeedForward(_config, _weights, layer);
        var forward = normalized.Select(network.Run).ToArray();
        Observe("ffn_out", forward);
        var output = Norm(Add(middle, Norm(forward, "post_ffw_norm")), "layer_output_norm");
        Observe("l_out", output);
        return output;
    }

    private double[][] Normalize(double[][] rows, string name) => [.. rows.Select(row => Normalize(row, name))];

    /// <summary>The norm of that name; the input itself where the model has none.</summary>
    private double[] Normalize(double[] vector, string name)
    {
        if (!_weights.Has(name + ".weight")) return vector;
        var weight = _weights.Values(name + ".weight");
        return _config.UsesLayerNorm
            ? ReferenceMath.LayerNorm(vector, weight, _weights.Values(name + ".bias"), _config.Epsilon)
            : ReferenceMath.RmsNorm(vector, weight, _config.Epsilon);
    }

    private static double[][] Add(double[][] left, double[][] right) => [.. left.Zip(right, ReferenceMath.Add)];
}
