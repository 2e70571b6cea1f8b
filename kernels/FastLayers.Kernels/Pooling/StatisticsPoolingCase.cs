using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Pooling;

/// <summary>Catalog entries of <see cref="StatisticsPooling"/>, with means and deviations apart: large means must not hide small deviations.</summary>
public static class StatisticsPoolingCase
{
    /// <summary>Scores by channel, and one score a frame.</summary>
    public static IReadOnlyList<KernelOperation> ByScores { get; } = [Create("StatisticsPooling.ChannelScores", true), Create("StatisticsPooling.FrameScores", false)];

    private static KernelOperation Create(string name, bool perChannel) => new()
    {
        Name = name,
        Definition = "α = softmax(e); mean = Σ α·x; deviation = √max(Σ α·(x - mean)², 1e-4)",
        // Nothing; one frame; constant features; ragged lengths; features around a million; odd channels; long sequences.
        Shapes =
        [
            Of(0, 4, 8), Of(1, 1, 1), Of(3, 1, 17), Of(2, 50, 9, 0, 3), Of(1, 50, 4, 0, 1_000_000), Of(1, 2, 3), Of(3, 5, 31), Of(4, 37, 65),
            Of(2, 100, 19, 1, 1_000_000), Of(1, 2000, 5, 1, 1_000_000), Of(1, 2000, 24), Of(2, 199, 192),
        ],
        Tolerance = 1e-11,
        ToleranceReason = "Running float sums of up to 2,000 weights, means and squares (3e-6), exponentials within 1e-6.",
        BytesMoved = shape => 4L * shape["batch"] * ((shape["frames"] * (shape["channels"] + (perChannel ? shape["channels"] : 1L))) + (2 * shape["channels"])),
        OperationCount = shape => 17L * shape["batch"] * shape["frames"] * shape["channels"],
        Fill = arguments =>
        {
            int batch = arguments.Shape["batch"], frames = arguments.Shape["frames"], channels = arguments.Shape["channels"];
            var x = arguments.AddNoise("x", batch * frames * channels, arguments.Shape["spread"], arguments.Shape["offset"]);
            int scoreCount = perChannel ? channels : 1;
            var scores = arguments.AddNoise("scores", batch * frames * scoreCount, 3);
            var lengths = arguments.Add<int>("lengths", KernelBufferRole.Input, batch);
            for (int sequence = 0; sequence < batch; sequence++)
            {
                lengths[sequence] = frames - (sequence * 7 % frames);
                int start = (sequence * frames) + lengths[sequence];
                int end = (sequence + 1) * frames;
                x[(start * channels)..(end * channels)].Fill(float.NaN);
                scores[(start * scoreCount)..(end * scoreCount)].Fill(float.NaN);
            }

            arguments.Add<float>("mean", KernelBufferRole.Output, batch * channels);
            arguments.Add<float>("deviation", KernelBufferRole.Output, batch * channels);
        },
        Reference = a => StatisticsPoolingReference.Attentive(
            a.Floats("x"), a.Floats("scores"), a.Ints("lengths"), a.Shape["frames"], a.Shape["channels"], a.Floats("mean"), a.Floats("deviation")),
        Simd = (level, a) => StatisticsPooling.Run(
            level, CallingThread.Pool, a.Floats("x"), a.Floats("scores"), a.Ints("lengths"), a.Shape["frames"], a.Shape["channels"], a.Floats("mean"),
            a.Floats("deviation"), a.Shape["channels"], StatisticsPooling.DefaultVarianceFloor),
    };

    private static KernelShape Of(int batch, int frames, int channels, int spread = 1, int offset = 0) =>
        new(("batch", batch), ("frames", frames), ("channels", channels), ("spread", spread), ("offset", offset));
}
