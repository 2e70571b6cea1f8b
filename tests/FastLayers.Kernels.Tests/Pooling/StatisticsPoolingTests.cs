using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.Pooling;

public sealed class StatisticsPoolingTests
{
    public static TheoryData<SimdLevel, int, int> Sizes
    {
        get
        {
            var data = new TheoryData<SimdLevel, int, int>();
            foreach (var level in Enum.GetValues<SimdLevel>())
            {
                foreach (int channels in (int[])[1, 3, 192, 512, 1536])
                {
                    foreach (int frames in (int[])[1, 2, 5, 199]) data.Add(level, channels, frames);
                }

                data.Add(level, 3, 3000);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Agrees_with_the_definition(SimdLevel level, int channels, int frames)
    {
        foreach (float offset in (float[])[0, 1e6f])
        {
            float[] x = Noise(frames * channels, channels + frames, offset), scores = Noise(frames * channels, frames, 0, 4);
            float[] mean = new float[channels], deviation = new float[channels];
            Run(level, x, scores, [frames], frames, channels, mean, deviation);
            for (int channel = 0; channel < channels; channel++)
            {
                var (center, width) = StatisticsPoolingReference.Channel(
                    [.. Enumerable.Range(0, frames).Select(t => x[(t * channels) + channel])], [.. Enumerable.Range(0, frames).Select(t => scores[(t * channels) + channel])],
                    StatisticsPooling.DefaultVarianceFloor);
                Assert.Equal(center, mean[channel], 1e-6 * Math.Max(1, offset));
                Assert.Equal(width, deviation[channel], 1e-5 * Math.Max(width, 0.1));
            }
        }
    }

    [Fact]
    public void Outlying_first_frame_without_weight_does_not_spoil_the_deviation()
    {
        const int frames = 400;
        float[] x = Noise(frames, 5, 0), scores = new float[frames], mean = new float[1], deviation = new float[1];
        (x[0], scores[0]) = (1e6f, -60);
        Run(SimdDispatch.Level, x, scores, [frames], frames, 1, mean, deviation);
        Assert.Equal(StatisticsPoolingReference.Channel(x, scores, 1e-4f).Deviation, deviation[0], 2e-3);
    }

    [Fact]
    public void Equal_scores_give_the_plain_mean_and_population_deviation_as_rows_after_each_other()
    {
        using var pool = new WorkerPool(2);
        float[] output = new float[4];
        StatisticsPooling.Attentive(pool, [1, 10, 3, 20, 5, 60], [7, 7, 7], [3], 3, 2, output);
        Assert.Equal([3, 30, MathF.Sqrt(8 / 3f), MathF.Sqrt(1400 / 3f)], output, (a, b) => MathF.Abs(a - b) < 1e-6f * MathF.Abs(a));
    }

    [Fact]
    public unsafe void Without_scores_all_frames_count_the_same()
    {
        using var pool = new WorkerPool(2);
        float* x = stackalloc float[6] { 1, 10, 3, 20, 5, 60 }, output = stackalloc float[4];
        int length = 3;
        var arguments = new StatisticsPoolingArguments
        {
            X = x,
            Scores = null,
            HasChannelScores = false,
            Lengths = &length,
            Batch = 1,
            Frames = 3,
            Channels = 2,
            Mean = output,
            Deviation = output + 2,
            OutputStride = 4,
            VarianceFloor = 1e-4f,
        };
        StatisticsPooling.Attentive(pool, arguments);
        Assert.Equal([3, 30, MathF.Sqrt(8 / 3f), MathF.Sqrt(1400 / 3f)], new Span<float>(output, 4).ToArray(), (a, b) => MathF.Abs(a - b) < 1e-6f * MathF.Abs(a));
        length = 4;
        Assert.Contains("at most 3 frames, found 4", Assert.Throws<ArgumentException>(() => StatisticsPooling.Attentive(pool, arguments)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sequence_gives_the_same_bits_alone_and_in_a_padded_batch_on_any_number_of_threads()
    {
        const int frames = 41, channels = 131;
        int[] lengths = [41, 1, 17, 30];
        float[] x = Noise(4 * frames * channels, 1, 2), scores = Noise(4 * frames * channels, 2, 0, 3);
        for (int sequence = 0; sequence < 4; sequence++)
        {
            int start = ((sequence * frames) + lengths[sequence]) * channels, end = (sequence + 1) * frames * channels;
            x.AsSpan(start..end).Fill(float.NaN);
            scores.AsSpan(start..end).Fill(float.PositiveInfinity);
        }

        float[] batch = new float[4 * 2 * channels], single = new float[2 * channels];
        using WorkerPool three = new(3), one = new(1);
        StatisticsPooling.Attentive(three, x, scores, lengths, frames, channels, batch);
        for (int sequence = 0; sequence < 4; sequence++)
        {
            var range = (sequence * frames * channels)..(((sequence * frames) + lengths[sequence]) * channels);
            StatisticsPooling.Attentive(one, x.AsSpan(range), scores.AsSpan(range), [lengths[sequence]], lengths[sequence], channels, single);
            Assert.Equal(single, batch[(sequence * 2 * channels)..((sequence + 1) * 2 * channels)]);
        }
    }

    [Fact]
    public void Constant_in_all_scores_and_the_order_of_frames_change_nothing()
    {
        const int frames = 120;
        float[] x = Noise(frames, 3, 1), scores = Noise(frames, 4, 0, 2), order = [.. Enumerable.Range(0, frames).Select(i => (float)(i * 77 % frames))];
        float[] mean = new float[3], deviation = new float[3];
        Run(SimdDispatch.Level, x, scores, [frames], frames, 1, mean.AsSpan(0, 1), deviation.AsSpan(0, 1));
        Run(SimdDispatch.Level, x, [.. scores.Select(s => s + 64)], [frames], frames, 1, mean.AsSpan(1, 1), deviation.AsSpan(1, 1));
        Run(SimdDispatch.Level, [.. order.Select(i => x[(int)i])], [.. order.Select(i => scores[(int)i])], [frames], frames, 1, mean.AsSpan(2, 1), deviation.AsSpan(2, 1));
        Assert.All(mean, value => Assert.Equal(mean[0], value, 5e-6));
        Assert.All(deviation, value => Assert.Equal(deviation[0], value, 5e-6));
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Special_values_do_what_the_documentation_says(SimdLevel level)
    {
        float minus = float.NegativeInfinity, nan = float.NaN;
        Assert.Equal((2, 0.01f), Pool([1, 2, 3], [minus, 0, minus]));
        Assert.Equal((1, 0.01f), Pool([1], [float.MinValue]));
        Assert.Equal((1e6f, 0.01f), Pool([1e6f, 1e6f, 1e6f], [1, 2, 3]));
        Assert.Equal((nan, nan), Pool([1, 2], [minus, minus]));
        Assert.Equal((nan, nan), Pool([1, 2, 3], [0, nan, 0]));
        Assert.Equal((nan, nan), Pool([1, nan, 3], [0, 1, 0]));

        (float Mean, float Deviation) Pool(float[] x, float[] scores)
        {
            float[] mean = new float[1], deviation = new float[1];
            Run(level, x, scores, [x.Length], x.Length, 1, mean, deviation);
            return (mean[0], deviation[0]);
        }
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        using var pool = new WorkerPool(1);
        float[] x = new float[12], output = new float[8];
        Refused("sequence 1 has no valid frames", () => StatisticsPooling.Attentive(pool, x, x, [3, 0], 3, 2, output));
        Refused("sequence 0 should have at most 3 frames, found 4", () => StatisticsPooling.Attentive(pool, x, x, [4, 1], 3, 2, output));
        Refused("'x' should have 12 values, found 11", () => StatisticsPooling.Attentive(pool, x.AsSpan(1), x, [3, 1], 3, 2, output));
        Refused("'scores' should have 12 values, found 7", () => StatisticsPooling.Attentive(pool, x, x.AsSpan(5), [3, 1], 3, 2, output));
        Refused("'output' should have 8 values, found 7", () => StatisticsPooling.Attentive(pool, x, x, [3, 1], 3, 2, output.AsSpan(1)));
        Refused("overlaps", () => StatisticsPooling.Attentive(pool, x, x, [3, 1], 3, 2, x.AsSpan(4)));
        Assert.Throws<ArgumentOutOfRangeException>(() => StatisticsPooling.Attentive(pool, x, x, [3, 1], 3, 2, output, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => StatisticsPooling.Attentive(pool, x, x, [3, 1], 3, 2, output, float.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => StatisticsPooling.Attentive(pool, x, x, [3, 1], 3, 0, output));

        static void Refused(string message, Action call) => Assert.Contains(message, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);
    }

    private static void Run(SimdLevel level, float[] x, float[] scores, int[] lengths, int frames, int channels, Span<float> mean, Span<float> deviation)
    {
        using var pool = new WorkerPool(1);
        StatisticsPooling.Run(level, pool, x, scores, lengths, frames, channels, mean, deviation, channels, StatisticsPooling.DefaultVarianceFloor);
    }

    private static float[] Noise(int count, int seed, float offset, float range = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => offset + (range * 2 * (random.NextSingle() - 0.5f)))];
    }
}
