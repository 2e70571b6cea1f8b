using System.Runtime.CompilerServices;
using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Pruning;

/// <summary>
/// Both passes of <see cref="AttentionColumnSums"/>. Items of the first are query rows, which go through the keys block by block with an online
/// softmax; items of the second are blocks of keys, which stay in the cache while all rows and heads go over them. Bound by two
/// multiplications and additions an element of the products.
/// </summary>
internal static unsafe class AttentionColumnSumsSimd<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>Keys of a block, those of a page: one head of them fits the first cache, and their products a few registers.</summary>
    private const int BlockLength = PagedCache.PageLength;

    public static void Run(WorkerPool pool, float* query, float* keys, int* positions, in AttentionColumnShape shape, float* statistics, float* scores)
    {
        Run(pool, new Operands { Query = query, Keys = (byte*)keys, Format = Format.F32, End = positions, EndOffset = 1, Shape = shape, Statistics = statistics, Scores = scores });
    }

    public static void Run(WorkerPool pool, in AttentionArguments arguments, in AttentionColumnShape shape, float* statistics, float* scores)
    {
        var cache = arguments.Cache;
        Run(pool, new Operands
        {
            Query = arguments.Query,
            Keys = cache.Keys,
            Pages = cache.PageTable + ((long)arguments.Sequences[0] * cache.PagesPerSequence),
            Format = cache.KeyFormat,
            First = arguments.First,
            End = arguments.End,
            Shape = shape,
            SoftCap = arguments.SoftCap,
            Statistics = statistics,
            Scores = scores,
        });
    }

    private static void Run(WorkerPool pool, in Operands operands)
    {
        pool.Run(new RowWork(pool, operands), operands.Shape.Rows);
        pool.Run(new ColumnWork(pool, operands), (operands.Shape.Tokens + BlockLength - 1) / BlockLength);
    }

    private struct Operands
    {
        public float* Query;
        public byte* Keys;

        /// <summary>Pages of the sequence; null where the keys lie one after the other.</summary>
        public int* Pages;
        public Format Format;

        /// <summary>First key that each row sees; null where all see from 0 on.</summary>
        public int* First;

        /// <summary>With <see cref="EndOffset"/> added, one past the last key that each row sees; null where all see all.</summary>
        public int* End;
        public int EndOffset;
        public AttentionColumnShape Shape;
        public float SoftCap;
        public float* Statistics;
        public float* Scores;

        public readonly int KeyStart(int row) => First == null ? 0 : First[row];

        public readonly int KeyEnd(int row) => End == null ? Shape.Tokens : End[row] + EndOffset;

        /// <summary>Bytes of scratch memory: two blocks of products, and the keys of a block where they have to be decoded.</summary>
        public readonly long ScratchBytes => BlockLength * (2L + (Format.BlockLength > 1 ? Shape.Size : 0)) * sizeof(float);

        /// <summary>Scaled and capped products of one row and head with <paramref name="count"/> keys of one block.</summary>
        public readonly void Products(int row, int head, int first, int count, float* products)
        {
            int size = Shape.Size;
            int keyHead = head / Shape.HeadsPerKeyHead;
            float* query = Query + ((((long)row * Shape.Heads) + head) * size);
            if (Pages == null) Products(query, (float*)Keys + ((((long)first * Shape.KeyHeads) + keyHead) * size), (long)Shape.KeyHeads * size, count, products);
            else
            {
                long start = (((((long)Pages[first / BlockLength] * Shape.KeyHeads) + keyHead) * BlockLength) + (first % BlockLength)) * Format.RowBytes(size);
                if (Format == Format.F16) Products(query, (ushort*)(Keys + start), count, products);
                else if (Format == Format.F32) Products(query, (float*)(Keys + start), size, count, products);
                else
                {
                    float* decoded = products + (2 * BlockLength);
                    CachedRow.Load(Format, Keys + start, decoded, count * size);
                    Products(query, decoded, size, count, products);
                }
            }

            if (SoftCap > 0) SoftcapSimd.Row<TLanes>(products, SoftCap, products, count);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Products(float* q, float* key, long stride, int count, float* products)
        {
            int size = Shape.Size;
            int i = 0;

            // Four keys at a time: chains of additions enough to keep the units busy.
            for (; i <= count - 4; i += 4, key += 4 * stride)
            {
                TLanes sum0 = TLanes.Zero, sum1 = TLanes.Zero, sum2 = TLanes.Zero, sum3 = TLanes.Zero;
                for (int d = 0; d < size; d += TLanes.Count)
                {
                    int left = Math.Min(size - d, TLanes.Count);
                    var value = Load(q + d, left);
                    sum0 = TLanes.MultiplyAdd(value, Load(key + d, left), sum0);
                    sum1 = TLanes.MultiplyAdd(value, Load(key + stride + d, left), sum1);
                    sum2 = TLanes.MultiplyAdd(value, Load(key + (2 * stride) + d, left), sum2);
                    sum3 = TLanes.MultiplyAdd(value, Load(key + (3 * stride) + d, left), sum3);
                }

                products[i] = TLanes.Sum(sum0) * Shape.Scale;
                products[i + 1] = TLanes.Sum(sum1) * Shape.Scale;
                products[i + 2] = TLanes.Sum(sum2) * Shape.Scale;
                products[i + 3] = TLanes.Sum(sum3) * Shape.Scale;
            }

            for (; i < count; i++, key += stride)
            {
                var sum = TLanes.Zero;
                for (int d = 0; d < size; d += TLanes.Count)
                {
                    int left = Math.Min(size - d, TLanes.Count);
                    sum = TLanes.MultiplyAdd(Load(q + d, left), Load(key + d, left), sum);
                }

                products[i] = TLanes.Sum(sum) * Shape.Scale;
            }
        }

        /// <summary>The same with keys in half precision that follow each other.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Products(float* q, ushort* key, int count, float* products)
        {
            int size = Shape.Size;
            int whole = size - (size % TLanes.Count);
            for (int i = 0; i < count; i++, key += size)
            {
                var sum = TLanes.Zero;
                float tail = 0;
                for (int d = 0; d < whole; d += TLanes.Count) sum = TLanes.MultiplyAdd(TLanes.Load(q + d), TLanes.LoadHalf(key + d), sum);
                for (int d = whole; d < size; d++) tail += q[d] * (float)((Half*)key)[d];
                products[i] = (TLanes.Sum(sum) + tail) * Shape.Scale;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TLanes Load(float* source, int count) => count == TLanes.Count ? TLanes.Load(source) : TLanes.LoadPartial(source, count);
    }

    private readonly struct RowWork(WorkerPool pool, Operands operands) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            float* products = (float*)pool.Scratch(worker, operands.ScratchBytes);
            for (int row = start; row < end; row++)
            {
                int keyEnd = operands.KeyEnd(row);
                for (int head = 0; head < operands.Shape.Heads; head++)
                {
                    float max = float.NegativeInfinity, sum = 0;
                    for (int first = operands.KeyStart(row), length; first < keyEnd; first += length)
                    {
                        length = Math.Min(BlockLength - (first % BlockLength), keyEnd - first);
                        operands.Products(row, head, first, length, products);
                        float larger = MathF.Max(max, RowLoop.Max<TLanes, Identity<TLanes>>(default, products, length));

                        // As long as all products are -∞ none has a share, and -∞ less -∞ would be NaN.
                        float reference = float.IsNegativeInfinity(larger) ? 0 : larger;
                        if (sum != 0) sum *= MathF.Exp(max - reference);
                        sum += RowLoop.Sum<TLanes, ExpOfDifference>(new(TLanes.Broadcast(reference)), products, length);
                        max = larger;
                    }

                    long place = 2 * (((long)row * operands.Shape.Heads) + head);
                    operands.Statistics[place] = max;
                    operands.Statistics[place + 1] = 1 / sum;
                }
            }
        }
    }

    private readonly struct ColumnWork(WorkerPool pool, Operands operands) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            float* products = (float*)pool.Scratch(worker, operands.ScratchBytes);
            float* rowSums = products + BlockLength;
            for (int block = start; block < end; block++)
            {
                int first = block * BlockLength;
                int width = Math.Min(BlockLength, operands.Shape.Tokens - first);
                float* scores = operands.Scores + first;
                new Span<float>(scores, width).Clear();
                for (int row = 0; row < operands.Shape.Rows; row++)
                {
                    int from = Math.Max(first, operands.KeyStart(row));
                    int length = Math.Min(first + width, operands.KeyEnd(row)) - from;
                    if (length <= 0) continue;

                    // The heads of a row first: many small numbers are not added to a large one.
                    new Span<float>(rowSums, length).Clear();
                    for (int head = 0; head < operands.Shape.Heads; head++)
                    {
                        operands.Products(row, head, from, length, products);
                        float* statistics = operands.Statistics + (2 * (((long)row * operands.Shape.Heads) + head));
                        RowLoop.Map<TLanes, AddShare>(new(TLanes.Broadcast(statistics[0]), TLanes.Broadcast(statistics[1])), products, rowSums, rowSums, length);
                    }

                    float* seen = scores + (from - first);
                    RowLoop.Map<TLanes, Sum>(default, rowSums, seen, seen, length);
                }

                RowLoop.Map<TLanes, MultiplyBy<TLanes>>(new(TLanes.Broadcast(1f / ((long)operands.Shape.Rows * operands.Shape.Heads))), scores, scores, width);
            }
        }
    }

    private readonly struct ExpOfDifference(TLanes max) : IOperator1<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x) => LaneMath.Exp(TLanes.Subtract(x, max));
    }

    private readonly struct AddShare(TLanes max, TLanes inverseSum) : IOperator2<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x, TLanes sum) => TLanes.MultiplyAdd(LaneMath.Exp(TLanes.Subtract(x, max)), inverseSum, sum);
    }

    private readonly struct Sum : IOperator2<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x, TLanes y) => TLanes.Add(x, y);
    }
}
