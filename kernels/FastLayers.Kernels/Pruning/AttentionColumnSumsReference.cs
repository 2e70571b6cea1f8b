using FastLayers.Kernels.Attention;

namespace FastLayers.Kernels.Pruning;

/// <summary>The definition of <see cref="AttentionColumnSums"/> in double precision.</summary>
public static unsafe class AttentionColumnSumsReference
{
    /// <summary>scores[i] = mean over rows and heads of softmax(scale · q·Kᵀ + mask)[i].</summary>
    /// <param name="query">Queries [rows, heads · size].</param>
    /// <param name="keys">Keys [tokens, key heads · size].</param>
    /// <param name="positions">Position of each row, which sees keys up to it; empty where all rows see all keys.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="scores">Receives one score a token.</param>
    public static void Compute(ReadOnlySpan<float> query, ReadOnlySpan<float> keys, ReadOnlySpan<int> positions, AttentionColumnShape shape, Span<double> scores)
    {
        scores.Clear();
        double[] weights = new double[shape.Tokens];
        for (int row = 0; row < shape.Rows; row++)
        {
            int count = positions.IsEmpty ? shape.Tokens : positions[row] + 1;
            for (int head = 0; head < shape.Heads; head++)
            {
                int queryStart = ((row * shape.Heads) + head) * shape.Size;
                double max = double.NegativeInfinity, sum = 0;
                for (int i = 0; i < count; i++)
                {
                    int keyStart = ((i * shape.KeyHeads) + (head / shape.HeadsPerKeyHead)) * shape.Size;
                    weights[i] = 0;
                    for (int d = 0; d < shape.Size; d++) weights[i] += (double)query[queryStart + d] * keys[keyStart + d];
                    weights[i] *= shape.Scale;
                    max = Math.Max(max, weights[i]);
                }

                for (int i = 0; i < count; i++) sum += weights[i] = Math.Exp(weights[i] - max);
                for (int i = 0; i < count; i++) scores[i] += weights[i] / sum / shape.Rows / shape.Heads;
            }
        }
    }

    /// <summary>The same over a paged cache: the column means of the matrix that <see cref="AttentionReference"/> multiplies the values with.</summary>
    /// <param name="arguments">The operands, all rows of one sequence; <see cref="AttentionArguments.Output"/> is not used.</param>
    /// <param name="scores">Receives one score a token.</param>
    /// <exception cref="ArgumentException">See <see cref="AttentionColumnSums"/>.</exception>
    public static void Compute(in AttentionArguments arguments, Span<double> scores)
    {
        var shape = AttentionColumnShape.Of(arguments, scores.Length);
        var cache = arguments.Cache;
        float[] decoded = new float[cache.KeySize];
        scores.Clear();
        for (int row = 0; row < shape.Rows; row++)
        {
            int first = arguments.Start(row), count = Math.Max(0, arguments.End[row] - first);
            double[] weights = new double[count];
            for (int head = 0; head < shape.Heads; head++)
            {
                float* query = arguments.Query + ((((long)row * shape.Heads) + head) * shape.Size);
                for (int i = 0; i < count; i++)
                {
                    byte* key = cache.Key(arguments.Sequences[row], first + i, head / shape.HeadsPerKeyHead);
                    cache.KeyFormat.Decode(new ReadOnlySpan<byte>(key, cache.KeyBytes), decoded);
                    double product = 0;
                    for (int d = 0; d < shape.Size; d++) product += (double)query[d] * decoded[d];
                    weights[i] = shape.Scale * product;
                    if (arguments.SoftCap > 0) weights[i] = arguments.SoftCap * Math.Tanh(weights[i] / arguments.SoftCap);
                }

                if (count == 0) continue;
                double max = weights.Max(), sum = weights.Sum(weight => Math.Exp(weight - max));
                for (int i = 0; i < count; i++) scores[first + i] += Math.Exp(weights[i] - max) / sum / shape.Rows / shape.Heads;
            }
        }
    }
}
