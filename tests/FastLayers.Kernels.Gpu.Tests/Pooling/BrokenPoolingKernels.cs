using FastLayers.Kernels.Gpu.Pooling;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.Pooling;

/// <summary>Statistics pooling that is wrong on purpose.</summary>
internal static class BrokenPoolingKernels
{
    /// <summary>Long enough for the other threads of a group to go on without the last.</summary>
    private const int Delay = 2_000_000;

    /// <summary>Softmax of scores of another size.</summary>
    public static void WrongScale(StatisticsPoolingKernels.Arguments a) => OneLane(a, 1.01f, 0);

    /// <summary>The last frame is forgotten.</summary>
    public static void ForgottenTail(StatisticsPoolingKernels.Arguments a) => OneLane(a, 1, 1);

    /// <summary>The mean of the squares less the square of the mean.</summary>
    public static void CancellingVariance(StatisticsPoolingKernels.Arguments a)
    {
        int channel = Channel(a);
        if (channel < 0) return;
        int sequence = Grid.IdxX / a.Tiles;
        float sum = 0, values = 0, squares = 0;
        for (int t = 0; t < a.Lengths[sequence]; t++)
        {
            int frame = (sequence * a.Frames) + t;
            float value = a.X[(frame * a.Channels) + channel], weight = MathF.Exp(a.Scores[(frame * a.Channels) + channel]);
            sum += weight;
            values += weight * value;
            squares += weight * value * value;
        }

        float mean = values / sum, variance = (squares / sum) - (mean * mean);
        a.Mean[(sequence * a.OutputStride) + channel] = mean;
        a.Deviation[(sequence * a.OutputStride) + channel] = MathF.Sqrt(variance < a.VarianceFloor ? a.VarianceFloor : variance);
    }

    /// <summary>Threads put together what the others may not have written yet.</summary>
    public static void WithoutBarrier(StatisticsPoolingKernels.Arguments a)
    {
        var means = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        int sequence = Grid.IdxX / a.Tiles;
        int lanes = Group.DimX / a.TileChannels, lane = Group.IdxX / a.TileChannels;
        int channel = ((Grid.IdxX - (sequence * a.Tiles)) * a.TileChannels) + Group.IdxX - (lane * a.TileChannels);
        var state = channel < a.Channels ? StatisticsPoolingKernels.Frames(a, sequence, channel, lane, lanes) : WeightedMoments.None;
        float mean = state.Center;
        if (lane == lanes - 1)
        {
            float wasted = mean;
            for (int i = 0; i < Delay; i++) wasted = (wasted * 0.5f) + 1;
            if (wasted == 0) mean = wasted;
        }

        // Each lane's share of the weights is right here, so that only the missing barrier is wrong.
        means[Group.IdxX] = mean;
        if (lane != 0 || channel >= a.Channels) return;
        var total = state;
        for (int other = 1; other < lanes; other++)
        {
            var rest = StatisticsPoolingKernels.Frames(a, sequence, channel, other, lanes);
            rest.Center = means[Group.IdxX + (other * a.TileChannels)];
            total.Merge(rest);
        }

        a.Mean[(sequence * a.OutputStride) + channel] = total.Center;
        a.Deviation[(sequence * a.OutputStride) + channel] = MathF.Sqrt(total.Squares / total.Sum < a.VarianceFloor ? a.VarianceFloor : total.Squares / total.Sum);
    }

    private static void OneLane(StatisticsPoolingKernels.Arguments a, float scale, int forgotten)
    {
        int channel = Channel(a);
        if (channel < 0) return;
        int sequence = Grid.IdxX / a.Tiles;
        var state = WeightedMoments.None;
        for (int t = 0; t < a.Lengths[sequence] - forgotten; t++)
        {
            int place = (((sequence * a.Frames) + t) * a.Channels) + channel;
            state.Add(a.X[place], a.Scores[place] * scale);
        }

        a.Mean[(sequence * a.OutputStride) + channel] = state.Center;
        a.Deviation[(sequence * a.OutputStride) + channel] = MathF.Sqrt(state.Squares / state.Sum < a.VarianceFloor ? a.VarianceFloor : state.Squares / state.Sum);
    }

    private static int Channel(StatisticsPoolingKernels.Arguments a)
    {
        int channel = (Grid.IdxX % a.Tiles * a.TileChannels) + Group.IdxX;
        return Group.IdxX < a.TileChannels && channel < a.Channels ? channel : -1;
    }
}
