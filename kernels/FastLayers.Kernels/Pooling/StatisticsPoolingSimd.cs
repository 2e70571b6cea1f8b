using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Pooling;

/// <summary>
/// The pass of <see cref="StatisticsPooling"/>: a register of channels goes through all frames of a sequence and keeps, relative to the
/// largest score so far, the sum of the weights, the mean (West's update) and the weighted squares around it. One exponential a value. The
/// mean is the sum of a center and a small remainder, so that features far from 0 lose nothing; a block of frames later the remainder moves
/// into the center. Bound by the exponentials of one thread, by memory with all.
/// </summary>
internal static unsafe class StatisticsPoolingSimd
{
    /// <summary>Channels of a work item: a few cache lines a frame, and items enough for all threads.</summary>
    private const int ChannelsPerItem = 64;

    /// <summary>Frames between two moves of the center; the first ones come sooner, while the first frame is all that it rests on.</summary>
    private const int LongestBlock = 16;

    public static void Run(WorkerPool pool, SimdLevel level, in StatisticsPoolingArguments arguments)
    {
        int items = checked(arguments.Batch * ItemsPerSequence(arguments.Channels));
        switch (level)
        {
            case SimdLevel.V512: pool.Run(new Work<Lanes512>(arguments), items); break;
            case SimdLevel.V256: pool.Run(new Work<Lanes256>(arguments), items); break;
            case SimdLevel.V128: pool.Run(new Work<Lanes128>(arguments), items); break;
            default: RowArguments.ThrowLevel(level); break;
        }
    }

    private static int ItemsPerSequence(int channels) => (channels + ChannelsPerItem - 1) / ChannelsPerItem;

    private readonly struct Work<TLanes>(StatisticsPoolingArguments a) : IParallelWork
        where TLanes : unmanaged, ILanes<TLanes>
    {
        public void Execute(int start, int end, int worker)
        {
            int perSequence = ItemsPerSequence(a.Channels);
            for (int item = start; item < end; item++)
            {
                int first = item % perSequence * ChannelsPerItem;
                int last = Math.Min(a.Channels, first + ChannelsPerItem);
                for (int channel = first; channel < last; channel += TLanes.Count)
                    Register(item / perSequence, channel, Math.Min(last - channel, TLanes.Count));
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Register(int sequence, int channel, int count)
        {
            long start = (long)sequence * a.Frames;
            float* x = a.X + (start * a.Channels) + channel;
            float* scores = a.HasChannelScores ? a.Scores + (start * a.Channels) + channel : a.Scores + start;
            int length = a.Lengths[sequence];
            TLanes one = TLanes.Broadcast(1), max = TLanes.Broadcast(float.MinValue), sum = TLanes.Zero, squares = TLanes.Zero;
            TLanes center = Load(x, count), remainder = TLanes.Zero;
            for (int t = 0; t < length;)
            {
                int end = Math.Min(length, t + Math.Clamp(t, 1, LongestBlock));
                for (; t < end; t++)
                {
                    var score = a.HasChannelScores ? Load(scores + ((long)t * a.Channels), count) : TLanes.Broadcast(a.Scores == null ? 0 : scores[t]);
                    var isLarger = TLanes.LessThan(max, score);
                    var decay = LaneMath.Exp(TLanes.Subtract(TLanes.Zero, TLanes.Abs(TLanes.Subtract(score, max))));
                    var weight = TLanes.Select(isLarger, one, decay);
                    var rescale = TLanes.Select(isLarger, decay, one);
                    max = TLanes.Select(isLarger, score, max);
                    var before = TLanes.Multiply(sum, rescale);
                    sum = TLanes.Add(before, weight);

                    // Without a weight so far, 0 / 0 is no share.
                    var share = TLanes.Select(TLanes.Equal(weight, TLanes.Zero), TLanes.Zero, TLanes.Divide(weight, sum));
                    var distance = TLanes.Subtract(TLanes.Subtract(Load(x + ((long)t * a.Channels), count), center), remainder);

                    // Not the product of the distances before and after: the latter cancels where a frame takes nearly all weight.
                    var moved = TLanes.Multiply(distance, share);
                    remainder = TLanes.Add(remainder, moved);
                    squares = TLanes.MultiplyAdd(TLanes.Multiply(moved, distance), before, TLanes.Multiply(squares, rescale));
                }

                // The sum of both, rounded, and what rounding took (Knuth's exact sum).
                var mean = TLanes.Add(center, remainder);
                var part = TLanes.Subtract(mean, center);
                remainder = TLanes.Add(TLanes.Subtract(center, TLanes.Subtract(mean, part)), TLanes.Subtract(remainder, part));
                center = mean;
            }

            var result = TLanes.Select(TLanes.Equal(sum, TLanes.Zero), TLanes.Broadcast(float.NaN), center);
            var variance = TLanes.Max(TLanes.Broadcast(a.VarianceFloor), TLanes.Divide(squares, sum));
            long output = ((long)sequence * a.OutputStride) + channel;
            result.StorePartial(a.Mean + output, count);
            TLanes.Sqrt(variance).StorePartial(a.Deviation + output, count);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TLanes Load(float* source, int count) => count == TLanes.Count ? TLanes.Load(source) : TLanes.LoadPartial(source, count);
    }
}
