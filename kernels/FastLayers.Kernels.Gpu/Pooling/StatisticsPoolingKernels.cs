using System.Numerics;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Pooling;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Pooling;

/// <summary>
/// Attentive statistics pooling: see <see cref="StatisticsPooling"/>. A group takes a sequence and a tile of channels; its threads lie in two
/// dimensions, so that several take every n-th frame of the same channel, and put their sums together at the end. Frames behind the length
/// are not read, so that a sequence gives the same bits alone and in a batch.
/// </summary>
internal static class StatisticsPoolingKernels
{
    private const int PreferredGroupSize = 256;

    private const string Name = "StatisticsPooling";

    public static GpuKernel<Arguments> Kernel { get; } = new(Name, Pool);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
        [.. StatisticsPoolingCase.ByScores.Select(entry => new GpuOperation(entry.Name, (launcher, b) => Start(launcher, Kernel, Operands(b), b.Shape["batch"])))];

    /// <summary>Pools sequences of frames.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="x">Features [batch, frames, channels].</param>
    /// <param name="scores">Scores [batch, frames, channels] or [batch, frames]; empty where all frames count the same.</param>
    /// <param name="lengths">Valid frames of each sequence, on the device.</param>
    /// <param name="hostLengths">The same on the host, to be checked.</param>
    /// <param name="frames">Frames of a sequence with its padding.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="output">Receives [batch, 2 · channels]: means, then deviations.</param>
    /// <param name="varianceFloor">Least variance, positive.</param>
    /// <exception cref="ArgumentException">A view has the wrong length, or a sequence no or too many frames.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The floor is not positive, or there are no channels.</exception>
    public static void Launch(
        GpuLauncher launcher, ArrayView<float> x, ArrayView<float> scores, ArrayView<int> lengths, ReadOnlySpan<int> hostLengths, int frames, int channels,
        ArrayView<float> output, float varianceFloor)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        int batch = hostLengths.Length;
        StatisticsPooling.RequireShape(hostLengths, frames, channels, varianceFloor);
        long perFrame = (long)batch * frames;
        LaunchArguments.Require(Name, nameof(x), x, perFrame * channels);
        LaunchArguments.Require(Name, nameof(lengths), lengths, batch);
        LaunchArguments.Require(Name, nameof(output), output, 2L * batch * channels);
        if (scores.Length != 0 && scores.Length != perFrame) LaunchArguments.Require(Name, nameof(scores), scores, perFrame * channels);
        if (batch == 0) return;
        Start(launcher, Kernel, new Arguments
        {
            X = x,
            Scores = scores.Length == 0 ? x : scores,
            HasScores = scores.Length == 0 ? 0 : 1,
            Lengths = lengths,
            Mean = output,
            Deviation = output.SubView(channels, output.Length - channels),
            Frames = frames,
            Channels = channels,
            HasChannelScores = scores.Length == perFrame ? 0 : 1,
            OutputStride = 2 * channels,
            VarianceFloor = varianceFloor,
        }, batch);
    }

    /// <summary>Starts the kernel, or one that takes its place, with the grid that it expects.</summary>
    internal static void Start(GpuLauncher launcher, GpuKernel<Arguments> kernel, Arguments arguments, int batch)
    {
        // Of the bits that number a thread, five of eight choose the channel and the others the frame: 32 channels, a line of memory, times 8 frames.
        int size = launcher.GroupSize(PreferredGroupSize);
        arguments.TileChannels = 1 << (BitOperations.Log2((uint)size) * 5 / 8);
        arguments.Tiles = (arguments.Channels + arguments.TileChannels - 1) / arguments.TileChannels;
        launcher.Launch(kernel, new Index3D(checked(batch * arguments.Tiles), 1, 1), size, arguments);
    }

    /// <summary>The buffers of a catalog entry, with means and deviations apart.</summary>
    internal static Arguments Operands(GpuBuffers b) => new()
    {
        X = b.Floats("x"),
        Scores = b.Floats("scores"),
        HasScores = 1,
        Lengths = b.Ints("lengths"),
        Mean = b.Floats("mean"),
        Deviation = b.Floats("deviation"),
        Frames = b.Shape["frames"],
        Channels = b.Shape["channels"],
        HasChannelScores = b.Floats("scores").Length == b.Floats("x").Length ? 1 : 0,
        OutputStride = b.Shape["channels"],
        VarianceFloor = StatisticsPooling.DefaultVarianceFloor,
    };

    internal static void Pool(Arguments a)
    {
        var maxima = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        var sums = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        var squares = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        var centers = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        var remainders = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        int sequence = Grid.IdxX / a.Tiles;
        int frameStep = Group.DimX / a.TileChannels;
        int lane = Group.IdxX / a.TileChannels;
        int channel = ((Grid.IdxX - (sequence * a.Tiles)) * a.TileChannels) + Group.IdxX - (lane * a.TileChannels);
        var state = WeightedMoments.None;
        if (channel < a.Channels) state = Frames(a, sequence, channel, lane, frameStep);

        maxima[Group.IdxX] = state.Max;
        sums[Group.IdxX] = state.Sum;
        squares[Group.IdxX] = state.Squares;
        centers[Group.IdxX] = state.Center;
        remainders[Group.IdxX] = state.Remainder;
        Group.Barrier();
        for (int half = Group.DimX >> 1; half >= a.TileChannels; half >>= 1)
        {
            if (Group.IdxX < half)
            {
                int other = Group.IdxX + half;
                state.Merge(new WeightedMoments { Max = maxima[other], Sum = sums[other], Squares = squares[other], Center = centers[other], Remainder = remainders[other] });
                maxima[Group.IdxX] = state.Max;
                sums[Group.IdxX] = state.Sum;
                squares[Group.IdxX] = state.Squares;
                centers[Group.IdxX] = state.Center;
                remainders[Group.IdxX] = state.Remainder;
            }

            Group.Barrier();
        }

        if (lane != 0 || channel >= a.Channels) return;
        long output = ((long)sequence * a.OutputStride) + channel;
        float variance = state.Squares / state.Sum;
        a.Mean[output] = state.Sum == 0 ? float.NaN : state.Center + state.Remainder;
        a.Deviation[output] = MathF.Sqrt(variance < a.VarianceFloor ? a.VarianceFloor : variance);
    }

    /// <summary>Every n-th frame of a channel.</summary>
    internal static WeightedMoments Frames(Arguments a, int sequence, int channel, int first, int step)
    {
        int length = Math.Min(a.Lengths[sequence], a.Frames);
        long start = (long)sequence * a.Frames;
        int scoreStride = a.HasChannelScores != 0 ? a.Channels : 1;
        int scoreOffset = a.HasChannelScores != 0 ? channel : 0;
        var state = WeightedMoments.None;
        if (first < length) state.Center = a.X[((start + first) * a.Channels) + channel];
        for (int t = first; t < length; t += step)
            state.Add(a.X[((start + t) * a.Channels) + channel], a.HasScores != 0 ? a.Scores[((start + t) * scoreStride) + scoreOffset] : 0);
        return state;
    }

    internal struct Arguments
    {
        public ArrayView<float> X;
        public ArrayView<float> Scores;
        public ArrayView<int> Lengths;
        public ArrayView<float> Mean;
        public ArrayView<float> Deviation;
        public int Frames;
        public int Channels;
        public int HasScores;
        public int HasChannelScores;
        public int OutputStride;
        public int TileChannels;
        public int Tiles;
        public float VarianceFloor;
    }
}
