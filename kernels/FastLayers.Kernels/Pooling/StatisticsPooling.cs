using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Pooling;

/// <summary>
/// Attentive statistics pooling (Okabe et al., arXiv:1803.10963; as in L-TDNN, arXiv:2409.07770): with the shares α = softmax over the valid
/// frames of the scores, mean = Σ α·x and deviation = √max(Σ α·(x - mean)², floor), channel by channel. Features and scores are read once.
/// The squares are taken around the mean, so that features far from 0 do not cancel. Padding is not read; a sequence gives the same bits
/// alone and in a batch. A NaN in a feature or score of a valid frame makes the results of the channel NaN, and so do scores of nothing but
/// -∞; a score of -∞ among others is a share of 0. Scores of +∞ are not defined.
/// </summary>
public static unsafe class StatisticsPooling
{
    /// <summary>The least variance of L-TDNN: deviations are at least 0.01.</summary>
    public const float DefaultVarianceFloor = 1e-4f;

    /// <summary>Pools sequences of frames.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="x">Features [batch, frames, channels], padded to the longest sequence.</param>
    /// <param name="scores">Attention scores, one a value [batch, frames, channels] or one a frame [batch, frames].</param>
    /// <param name="lengths">Valid frames of each sequence, 1 to <paramref name="frames"/>.</param>
    /// <param name="frames">Frames of a sequence with its padding.</param>
    /// <param name="channels">Channels, positive.</param>
    /// <param name="output">Receives [batch, 2 · channels]: the means of a sequence, then its deviations. Apart from the inputs.</param>
    /// <param name="varianceFloor">Least variance, positive.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, a sequence has no or too many frames, or the output overlaps an input.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The floor is not positive, or there are no channels.</exception>
    public static void Attentive(
        WorkerPool pool, ReadOnlySpan<float> x, ReadOnlySpan<float> scores, ReadOnlySpan<int> lengths, int frames, int channels, Span<float> output,
        float varianceFloor = DefaultVarianceFloor)
    {
        RequireShape(lengths, frames, channels, varianceFloor);
        RequireLength("output", 2L * lengths.Length * channels, output.Length);
        Run(SimdDispatch.Level, pool, x, scores, lengths, frames, channels, output, output[Math.Min(channels, output.Length)..], 2 * channels, varianceFloor);
    }

    /// <summary>Pools sequences in memory that may be larger than a span; results must be apart from the inputs.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="arguments">The operands.</param>
    /// <exception cref="ArgumentException">A sequence has no or too many frames.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The floor is not positive, or there are no channels.</exception>
    public static void Attentive(WorkerPool pool, in StatisticsPoolingArguments arguments)
    {
        ArgumentNullException.ThrowIfNull(pool);
        RequireShape(new ReadOnlySpan<int>(arguments.Lengths, arguments.Batch), arguments.Frames, arguments.Channels, arguments.VarianceFloor);
        StatisticsPoolingSimd.Run(pool, SimdDispatch.Level, arguments);
    }

    /// <summary>The same with means and deviations in places of their own, rows of <paramref name="outputStride"/> floats.</summary>
    internal static void Run(
        SimdLevel level, WorkerPool pool, ReadOnlySpan<float> x, ReadOnlySpan<float> scores, ReadOnlySpan<int> lengths, int frames, int channels,
        Span<float> mean, Span<float> deviation, int outputStride, float varianceFloor)
    {
        ArgumentNullException.ThrowIfNull(pool);
        RequireShape(lengths, frames, channels, varianceFloor);
        long perFrame = (long)lengths.Length * frames;
        RequireLength("x", perFrame * channels, x.Length);
        if (scores.Length != perFrame) RequireLength("scores", perFrame * channels, scores.Length);
        RowArguments.RequireApart(nameof(StatisticsPooling), x, mean, "output");
        RowArguments.RequireApart(nameof(StatisticsPooling), x, deviation, "output");
        RowArguments.RequireApart(nameof(StatisticsPooling), scores, mean, "output");
        RowArguments.RequireApart(nameof(StatisticsPooling), scores, deviation, "output");
        fixed (float* features = x, weights = scores, means = mean, deviations = deviation)
        fixed (int* valid = lengths)
        {
            StatisticsPoolingSimd.Run(pool, level, new StatisticsPoolingArguments
            {
                X = features,
                Scores = weights,
                HasChannelScores = scores.Length == x.Length,
                Lengths = valid,
                Batch = lengths.Length,
                Frames = frames,
                Channels = channels,
                Mean = means,
                Deviation = deviations,
                OutputStride = outputStride,
                VarianceFloor = varianceFloor,
            });
        }
    }

    /// <summary>Throws unless the sequences can be pooled.</summary>
    /// <exception cref="ArgumentException">A sequence has no frames, or more than there are.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The floor is not positive, or there are no frames or channels.</exception>
    internal static void RequireShape(ReadOnlySpan<int> lengths, int frames, int channels, float varianceFloor)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frames);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        if (!(varianceFloor > 0)) throw new ArgumentOutOfRangeException(nameof(varianceFloor), varianceFloor, $"{nameof(StatisticsPooling)}: expected a positive variance floor.");
        for (int sequence = 0; sequence < lengths.Length; sequence++)
        {
            if (lengths[sequence] <= 0)
                throw new ArgumentException($"{nameof(StatisticsPooling)}: sequence {sequence} has no valid frames: its length is {lengths[sequence]}.", nameof(lengths));
            if (lengths[sequence] > frames)
                throw new ArgumentException($"{nameof(StatisticsPooling)}: sequence {sequence} should have at most {frames} frames, found {lengths[sequence]}.", nameof(lengths));
        }
    }

    private static void RequireLength(string parameter, long expected, int found)
    {
        if (expected != found) throw new ArgumentException($"{nameof(StatisticsPooling)}: '{parameter}' should have {expected} values, found {found}.", parameter);
    }
}
