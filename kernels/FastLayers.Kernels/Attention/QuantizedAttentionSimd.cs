using System.Runtime.CompilerServices;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// Attention over a quantized cache with the softmax computed online, page by page. One work item is a row and a key/value head: the keys, then
/// the values of a page are decoded once, into memory that stays in the first-level cache, for all query heads that share them. Bound: decoding,
/// for few query heads a key/value head; else two multiply-adds an element and query head.
/// </summary>
public static unsafe class QuantizedAttentionSimd
{
    /// <summary>Computes attention for all rows and heads.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="arguments">The operands.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of rows is negative.</exception>
    /// <exception cref="ArgumentException">Query heads are not a multiple of the cache's, keys and values have different numbers of heads, values have scales per channel, or a tail or the lengths are missing.</exception>
    public static void Attend(WorkerPool pool, in QuantizedAttentionArguments arguments) => Attend(pool, arguments, SimdDispatch.Level);

    internal static void Attend(WorkerPool pool, in QuantizedAttentionArguments arguments, SimdLevel level)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(arguments.Rows, nameof(arguments));
        if (arguments.Heads % arguments.Cache.Heads != 0)
            throw new ArgumentException($"Attention: query heads should be a multiple of the {arguments.Cache.Heads} key/value heads, found {arguments.Heads}.", nameof(arguments));
        arguments.Cache.Check("Attention", reads: true);
        int items = arguments.Rows * arguments.Cache.Heads;
        switch (level)
        {
            case SimdLevel.V512: pool.Run(new Work<Lanes512>(pool, arguments), items); break;
            case SimdLevel.V256: pool.Run(new Work<Lanes256>(pool, arguments), items); break;
            default: pool.Run(new Work<Lanes128>(pool, arguments), items); break;
        }
    }

    private readonly struct Work<TLanes>(WorkerPool pool, QuantizedAttentionArguments arguments) : IParallelWork
        where TLanes : unmanaged, ILanes<TLanes>
    {
        public void Execute(int start, int end, int worker)
        {
            // Decoded tokens of a page, scores of a page for each query head, and for each the largest score and the sum of weights.
            int decoded = PagedCache.PageLength * Math.Max(arguments.Cache.KeyLayout.Channels, arguments.Cache.ValueLayout.Channels);
            float* rows = (float*)pool.Scratch(worker, (decoded + ((PagedCache.PageLength + 2L) * arguments.GroupSize)) * sizeof(float));
            for (int item = start; item < end; item++) Item(item / arguments.Cache.Heads, item % arguments.Cache.Heads, rows, rows + decoded);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Item(int row, int kvHead, float* decoded, float* scores)
        {
            int heads = arguments.GroupSize;
            QuantizedSide keySide = arguments.Cache.KeySide, valueSide = arguments.Cache.ValueSide;
            int keySize = arguments.Cache.KeyLayout.Size, valueSize = arguments.Cache.ValueLayout.Size;
            long firstHead = ((long)row * arguments.Heads) + (kvHead * heads);
            float* query = arguments.Query + (firstHead * keySize);
            float* output = arguments.Output + (firstHead * valueSize);
            float* max = scores + (PagedCache.PageLength * heads);
            float* sum = max + heads;
            new Span<float>(output, heads * valueSize).Clear();
            new Span<float>(max, heads).Fill(float.NegativeInfinity);
            new Span<float>(sum, heads).Clear();

            int sequence = arguments.Sequences[row];
            int end = arguments.End[row];
            for (int position = arguments.Start(row), count; position < end; position += count)
            {
                count = Math.Min(PagedCache.PageLength - (position % PagedCache.PageLength), end - position);
                QuantizedRows.Decode(keySide, sequence, position, kvHead, count, decoded);
                for (int h = 0; h < heads; h++)
                    Weigh(query + ((long)h * keySize), decoded, scores + (h * PagedCache.PageLength), count, ref max[h], ref sum[h], output + ((long)h * valueSize));
                QuantizedRows.Decode(valueSide, sequence, position, kvHead, count, decoded);
                for (int h = 0; h < heads; h++) Add(scores + (h * PagedCache.PageLength), decoded, count, output + ((long)h * valueSize));
            }

            if (arguments.Start(row) >= end) return;
            for (int h = 0; h < heads; h++) OnlineSoftmax<TLanes>.Divide(output + ((long)h * valueSize), sum[h], valueSize);
        }

        /// <summary>Scores of a page, turned into weights; what was summed so far is rescaled to the new largest score.</summary>
        private void Weigh(float* query, float* keys, float* scores, int count, ref float max, ref float sum, float* output)
        {
            int size = arguments.Cache.KeyLayout.Size;
            for (int j = 0; j < count; j++) scores[j] = Dot(query, keys + ((long)j * arguments.Cache.KeyLayout.Channels), size) * arguments.Scale;
            OnlineSoftmax<TLanes>.Weigh(scores, count, arguments.SoftCap, ref max, ref sum, output, arguments.Cache.ValueLayout.Size);
        }

        private void Add(float* weights, float* values, int count, float* output)
        {
            int size = arguments.Cache.ValueLayout.Size;
            int whole = size - (size % TLanes.Count);
            int stride = arguments.Cache.ValueLayout.Channels;
            for (int d = 0; d < whole; d += TLanes.Count)
            {
                var sum = TLanes.Load(output + d);
                float* value = values + d;
                for (int j = 0; j < count; j++, value += stride) sum = TLanes.MultiplyAdd(TLanes.Broadcast(weights[j]), TLanes.Load(value), sum);
                sum.Store(output + d);
            }

            for (int d = whole; d < size; d++)
                for (int j = 0; j < count; j++) output[d] += weights[j] * values[((long)j * stride) + d];
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static float Dot(float* x, float* y, int count)
        {
            var sum = TLanes.Zero;
            int whole = count - (count % TLanes.Count);
            float tail = 0;
            for (int d = 0; d < whole; d += TLanes.Count) sum = TLanes.MultiplyAdd(TLanes.Load(x + d), TLanes.Load(y + d), sum);
            for (int d = whole; d < count; d++) tail += x[d] * y[d];
            return TLanes.Sum(sum) + tail;
        }
    }
}
