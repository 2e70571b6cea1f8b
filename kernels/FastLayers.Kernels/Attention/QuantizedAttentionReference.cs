using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>The definition: <see cref="AttentionReference"/> over the keys and values that <see cref="QuantizedCacheReference"/> decodes.</summary>
public static unsafe class QuantizedAttentionReference
{
    /// <summary>Computes attention for all rows and heads.</summary>
    /// <param name="arguments">The operands; <see cref="QuantizedAttentionArguments.Output"/> is not written.</param>
    /// <param name="output">Result [rows, heads · value size].</param>
    public static void Attend(in QuantizedAttentionArguments arguments, Span<double> output)
    {
        var cache = arguments.Cache;
        int keySize = cache.KeyLayout.Size, valueSize = cache.ValueLayout.Size;
        output.Clear();
        for (int row = 0; row < arguments.Rows; row++)
        {
            int sequence = arguments.Sequences[row];
            int first = arguments.Start(row);
            var scores = new double[Math.Max(0, arguments.End[row] - first)];
            if (scores.Length == 0) continue;
            for (int head = 0; head < arguments.Heads; head++)
            {
                int kvHead = head / arguments.GroupSize;
                float* query = arguments.Query + ((((long)row * arguments.Heads) + head) * keySize);
                var target = output.Slice(((row * arguments.Heads) + head) * valueSize, valueSize);
                for (int j = 0; j < scores.Length; j++)
                {
                    scores[j] = 0;
                    for (int d = 0; d < keySize; d++) scores[j] += (double)query[d] * QuantizedCacheReference.Key(cache, sequence, first + j, kvHead, d);
                    scores[j] *= arguments.Scale;
                    if (arguments.SoftCap > 0) scores[j] = arguments.SoftCap * Math.Tanh(scores[j] / arguments.SoftCap);
                }

                double max = scores.Max();
                double sum = scores.Sum(s => Math.Exp(s - max));
                for (int j = 0; j < scores.Length; j++)
                {
                    double weight = Math.Exp(scores[j] - max) / sum;
                    for (int d = 0; d < valueSize; d++) target[d] += weight * QuantizedCacheReference.Value(cache, sequence, first + j, kvHead, d);
                }
            }
        }
    }
}
