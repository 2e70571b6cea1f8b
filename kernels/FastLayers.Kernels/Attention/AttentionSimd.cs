using System.Runtime.CompilerServices;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// Attention with the softmax computed online, page by page: the scores of one page of keys, their new maximum, the sums so far rescaled
/// to it, then the page's values added with their weights. Memory does not grow with the context. One work item is a row and a key/value
/// head with all query heads that share it. Bound: reading the keys and values, or two multiply-adds an element and query head.
/// </summary>
public static unsafe class AttentionSimd
{
    /// <summary>Computes attention for all rows and heads.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="arguments">The operands.</param>
    /// <exception cref="ArgumentException">The query heads are no multiple of the cache's, or a row sees positions without a page.</exception>
    public static void Attend(WorkerPool pool, in AttentionArguments arguments) => Attend(pool, arguments, SimdDispatch.Level);

    internal static void Attend(WorkerPool pool, in AttentionArguments arguments, SimdLevel level)
    {
        ArgumentNullException.ThrowIfNull(pool);
        arguments.Check(nameof(AttentionSimd));
        int items = checked(arguments.Rows * arguments.Cache.Heads);
        switch (level)
        {
            case SimdLevel.V512: pool.Run(new Work<Lanes512>(pool, arguments), items); break;
            case SimdLevel.V256: pool.Run(new Work<Lanes256>(pool, arguments), items); break;
            case SimdLevel.V128: pool.Run(new Work<Lanes128>(pool, arguments), items); break;
            default: RowArguments.ThrowLevel(level); break;
        }
    }

    private readonly struct Work<TLanes>(WorkerPool pool, AttentionArguments arguments) : IParallelWork
        where TLanes : unmanaged, ILanes<TLanes>
    {
        public void Execute(int start, int end, int worker)
        {
            // Scores of one page.
            float* scores = (float*)pool.Scratch(worker, PagedCache.PageLength * sizeof(float));
            for (int item = start; item < end; item++)
            {
                int index = item / arguments.Cache.Heads;
                int kvHead = item % arguments.Cache.Heads;
                for (int g = 0; g < arguments.GroupSize; g++) Head(index, (kvHead * arguments.GroupSize) + g, kvHead, scores);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Head(int index, int head, int kvHead, float* scores)
        {
            int keySize = arguments.Cache.KeySize;
            int valueSize = arguments.Cache.ValueSize;
            long valueBytes = (long)valueSize * arguments.Cache.ElementBytes;
            long keyBytes = (long)keySize * arguments.Cache.ElementBytes;
            float* query = arguments.Query + ((((long)index * arguments.Heads) + head) * keySize);
            float* output = arguments.Output + ((((long)index * arguments.Heads) + head) * valueSize);
            new Span<float>(output, valueSize).Clear();

            int sequence = arguments.Sequences[index];
            float max = float.NegativeInfinity;
            float sum = 0;
            int end = arguments.End[index];
            int first = arguments.Start(index);
            for (int position = first; position < end;)
            {
                int count = Math.Min(PagedCache.PageLength - (position % PagedCache.PageLength), end - position);
                byte* keys = arguments.Cache.Key(sequence, position, kvHead);
                for (int j = 0; j < count; j++, keys += keyBytes) scores[j] = Dot(query, keys, keySize) * arguments.Scale;
                OnlineSoftmax<TLanes>.Weigh(scores, count, arguments.SoftCap, ref max, ref sum, output, valueSize);
                byte* values = arguments.Cache.Value(sequence, position, kvHead);
                for (int j = 0; j < count; j++, values += valueBytes)
                    AddScaled(output, scores[j], values, valueSize);

                position += count;
            }

            if (first < end) OnlineSoftmax<TLanes>.Divide(output, sum, valueSize);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private float Dot(float* query, byte* key, int count)
        {
            var sum = TLanes.Zero;
            int whole = count - (count % TLanes.Count);
            float tail = 0;
            if (arguments.Cache.IsHalf)
            {
                var halves = (ushort*)key;
                for (int d = 0; d < whole; d += TLanes.Count) sum = TLanes.MultiplyAdd(TLanes.Load(query + d), TLanes.LoadHalf(halves + d), sum);
                for (int d = whole; d < count; d++) tail += query[d] * (float)((Half*)key)[d];
            }
            else
            {
                var floats = (float*)key;
                for (int d = 0; d < whole; d += TLanes.Count) sum = TLanes.MultiplyAdd(TLanes.Load(query + d), TLanes.Load(floats + d), sum);
                for (int d = whole; d < count; d++) tail += query[d] * floats[d];
            }

            return TLanes.Sum(sum) + tail;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void AddScaled(float* output, float weight, byte* value, int count)
        {
            var factor = TLanes.Broadcast(weight);
            int whole = count - (count % TLanes.Count);
            if (arguments.Cache.IsHalf)
            {
                var halves = (ushort*)value;
                for (int d = 0; d < whole; d += TLanes.Count) TLanes.MultiplyAdd(factor, TLanes.LoadHalf(halves + d), TLanes.Load(output + d)).Store(output + d);
                for (int d = whole; d < count; d++) output[d] += weight * (float)((Half*)value)[d];
            }
            else
            {
                var floats = (float*)value;
                for (int d = 0; d < whole; d += TLanes.Count) TLanes.MultiplyAdd(factor, TLanes.Load(floats + d), TLanes.Load(output + d)).Store(output + d);
                for (int d = whole; d < count; d++) output[d] += weight * floats[d];
            }
        }
    }
}
