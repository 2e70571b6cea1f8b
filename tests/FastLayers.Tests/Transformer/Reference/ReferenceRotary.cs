namespace FastLayers.Tests.Transformer.Reference;

/// <summary>Rotary positions: one angle for each pair of values, and a common factor on the rotated values.</summary>
internal sealed class ReferenceRotary
{
    private const double FastTurns = 32, SlowTurns = 1;

    private readonly double[] _frequencies;
    private readonly double _magnitude;
    private readonly bool _adjacent;

    /// <param name="config">The model's numbers.</param>
    /// <param name="weights">The model's tensors, for tables of divisors.</param>
    /// <param name="local">Whether this is for Gemma 3's layers with a window, which ignore base and stretching of the file.</param>
    /// <param name="context">The length of the session, which picks the LongRoPE table.</param>
    public ReferenceRotary(ReferenceConfig config, ReferenceWeights weights, bool local, int context)
    {
        _adjacent = config.Architecture == "llama";
        var dimensions = config.RotaryDimensions;
        var frequencyBase = local ? 10_000 : config.Number("rope.freq_base", 10_000);
        var factor = config.Number("rope.scaling.factor", 1);
        var type = config.Text("rope.scaling.type") ?? "linear";
        var original = config.Count("rope.scaling.original_context_length", config.Context);
        if (local || type == "none" || factor == 0) factor = 1;
        var yarn = type == "yarn" && !local;

        _magnitude = config.Number("rope.scaling.attn_factor", 1) * (yarn ? 1 + 0.1 * Math.Log(factor) : 1);
        _frequencies = new double[dimensions / 2];
        var divisors = Divisors(weights, context > original);
        var start = Math.Max(0, Math.Floor(PairThatTurns(FastTurns, dimensions, original, frequencyBase)));
        var end = Math.Min(dimensions - 1, Math.Ceiling(PairThatTurns(SlowTurns, dimensions, original, frequencyBase)));
        for (var i = 0; i < _frequencies.Length; i++)
        {
            var own = Math.Pow(frequencyBase, -2.0 * i / dimensions) / (divisors?[i] ?? 1);
            var stretched = own / factor;
            var kept = yarn ? 1 - Math.Clamp((i - start) / Math.Max(0.001, end - start), 0, 1) : 0;
            _frequencies[i] = stretched * (1 - kept) + own * kept;
        }
    }

    /// <summary>Rotates the first values of one head in place; the others stay.</summary>
    public void Rotate(Span<double> head, int position)
    {
        for (var i = 0; i < _frequencies.Length; i++)
        {
            var (sine, cosine) = Math.SinCos(position * _frequencies[i]);
            var (first, second) = _adjacent ? (2 * i, 2 * i + 1) : (i, i + _frequencies.Length);
            var (x, y) = (head[first], head[second]);
            head[first] = (x * cosine - y * sine) * _magnitude;
            head[second] = (x * sine + y * cosine) * _magnitude;
        }
    }

    /// <summary>The (fractional) pair that makes this many turns over the original context.</summary>
    private static double PairThatTurns(double turns, int dimensions, int original, double frequencyBase) =>
        dimensions * Math.Log(original / (turns * 2 * Math.PI)) / (2 * Math.Log(frequencyBase));

    private static float[]? Divisors(ReferenceWeights weights, bool beyondOriginal)
    {
        var name = weights.Has("rope_freqs.weight") ? "rope_freqs.weight" : beyondOriginal ? "rope_factors_long.weight" : "rope_factors_short.weight";
        return weights.Has(name) ? weights.Values(name) : null;
    }
}
