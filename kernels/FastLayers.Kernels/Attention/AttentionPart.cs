using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// The result of one part of a context for one row and head: the largest score, the sum of the weights relative to it, and the sums of the weighted
/// values. Parts of a row and head follow each other and are put together in that order.
/// </summary>
internal static unsafe class AttentionPart
{
    /// <summary>Rows and heads that are worth the start of another thread.</summary>
    public const int MinimumPerWorker = 64;

    /// <summary>Floats of a part.</summary>
    public static int Length(int valueSize) => 2 + valueSize;

    /// <summary>Stores what a part gives for a row and head; where contexts are not cut, the result.</summary>
    /// <param name="arguments">The operands.</param>
    /// <param name="split">How contexts are cut.</param>
    /// <param name="workspace">The results of parts.</param>
    /// <param name="row">The row.</param>
    /// <param name="head">The query head.</param>
    /// <param name="part">The part.</param>
    /// <param name="max">The largest score.</param>
    /// <param name="sum">The sum of the weights.</param>
    /// <param name="values">The sums of weighted values, which may be changed.</param>
    public static void Store(in AttentionArguments arguments, in ContextSplit split, float* workspace, int row, int head, int part, float max, float sum, float* values)
    {
        int size = arguments.Cache.ValueSize;
        long index = ((long)row * arguments.Heads) + head;
        if (split.Parts > 1)
        {
            float* target = workspace + (((index * split.Parts) + part) * Length(size));
            target[0] = max;
            target[1] = sum;
            new ReadOnlySpan<float>(values, size).CopyTo(new Span<float>(target + 2, size));
            return;
        }

        // A row that sees nothing gives zeros, one that sees only scores of -∞ NaN.
        if (arguments.Start(row) < arguments.End[row]) TileSoftmax.Scale(values, 1 / sum, size);
        new ReadOnlySpan<float>(values, size).CopyTo(new Span<float>(arguments.Output + (index * size), size));
    }

    /// <summary>Puts the parts of each row and head together.</summary>
    internal readonly struct Work(AttentionArguments arguments, int parts, float* workspace) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            int size = arguments.Cache.ValueSize;
            for (int item = start; item < end; item++)
            {
                int row = item / arguments.Heads;
                float* output = arguments.Output + ((long)item * size);
                new Span<float>(output, size).Clear();
                if (arguments.Start(row) >= arguments.End[row]) continue;
                float* first = workspace + ((long)item * parts * Length(size));
                float max = float.NegativeInfinity, sum = 0;
                for (int part = 0; part < parts; part++) max = Math.Max(max, first[(long)part * Length(size)]);
                for (int part = 0; part < parts; part++)
                {
                    float* values = first + ((long)part * Length(size));

                    // A part without a share, because nobody sees it or its scores are -∞, must not bring in a NaN.
                    if (values[1] == 0) continue;
                    float factor = MathF.Exp(values[0] - max);
                    sum += values[1] * factor;
                    for (int d = 0; d < size; d++) output[d] += values[2 + d] * factor;
                }

                TileSoftmax.Scale(output, 1 / sum, size);
            }
        }
    }
}
