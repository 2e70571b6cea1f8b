namespace FastLayers.Kernels.Attention;

/// <summary>
/// The definition of attention: for every row and head <c>softmax(scale · q·K) V</c> over the positions that the row sees, scores
/// soft-capped before the softmax, in double precision. A row that sees nothing gives zeros, one that sees
/// only scores of -∞ NaN.
/// </summary>
public static unsafe class AttentionReference
{
    /// <summary>Computes attention for all rows and heads.</summary>
    /// <param name="arguments">The operands; <see cref="AttentionArguments.Output"/> is not written.</param>
    /// <param name="output">Result [rows, heads · value size].</param>
    /// <exception cref="ArgumentException">The query heads are no multiple of the cache's, or a row sees positions without a page.</exception>
    public static void Attend(in AttentionArguments arguments, Span<double> output)
    {
        arguments.Check(nameof(AttentionReference));
        var cache = arguments.Cache;
        var decoded = new float[Math.Max(cache.KeySize, cache.ValueSize)];
        output.Clear();
        for (int row = 0; row < arguments.Rows; row++)
        {
            for (int head = 0; head < arguments.Heads; head++)
            {
                int kvHead = head / arguments.GroupSize;
                float* query = arguments.Query + ((((long)row * arguments.Heads) + head) * cache.KeySize);
                var target = output.Slice(((row * arguments.Heads) + head) * cache.ValueSize, cache.ValueSize);
                int first = arguments.Start(row);
                int count = arguments.End[row] - first;
                if (count <= 0) continue;

                var scores = new double[count];
                for (int j = 0; j < count; j++)
                {
                    byte* key = cache.Key(arguments.Sequences[row], first + j, kvHead);
                    cache.KeyFormat.Decode(new ReadOnlySpan<byte>(key, cache.KeyBytes), decoded.AsSpan(0, cache.KeySize));
                    for (int d = 0; d < cache.KeySize; d++) scores[j] += (double)query[d] * decoded[d];
                    scores[j] *= arguments.Scale;
                    if (arguments.SoftCap > 0) scores[j] = arguments.SoftCap * Math.Tanh(scores[j] / arguments.SoftCap);
                }

                double max = scores.Max();
                double sum = scores.Sum(s => Math.Exp(s - max));
                for (int j = 0; j < count; j++)
                {
                    byte* value = cache.Value(arguments.Sequences[row], first + j, kvHead);
                    double weight = Math.Exp(scores[j] - max) / sum;
                    cache.ValueFormat.Decode(new ReadOnlySpan<byte>(value, cache.ValueBytes), decoded.AsSpan(0, cache.ValueSize));
                    for (int d = 0; d < cache.ValueSize; d++) target[d] += weight * decoded[d];
                }
            }
        }
    }
}
