using System.Runtime.CompilerServices;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// Adds the values of a page, weighted for a tile of queries, to their sums. A value is read once for all queries and converted in registers, where the
/// sums of one or two registers of every query stay for the whole page. Bound: one multiply-add for each register of a value and query; reading
/// the values where there is one query.
/// </summary>
internal static unsafe class PageSums<TLanes, TFormat, TTile>
    where TLanes : unmanaged, ILanes<TLanes>
    where TFormat : struct, IRowFormat
    where TTile : struct, IQueryTile
{
    private const int Half = CachedRow.BlockLength / 2;

    /// <summary>Adds weighted values.</summary>
    /// <param name="weights">Weights [tokens, queries].</param>
    /// <param name="values">The first value.</param>
    /// <param name="blocks">Blocks of a value.</param>
    /// <param name="count">Number of values, at least 1 and at most a page.</param>
    /// <param name="output">Sums [queries, blocks of a value].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static void Add(float* weights, byte* values, int blocks, int count, float* output)
    {
        float* scales = stackalloc float[PagedCache.PageLength];
        int stride = blocks * TFormat.BlockBytes;
        int size = blocks * CachedRow.BlockLength;
        for (int block = 0; block < blocks; block++, values += TFormat.BlockBytes, output += CachedRow.BlockLength)
        {
            if (TFormat.HasScales)
            {
                for (int token = 0; token < count; token++) scales[token] = TFormat.Scale(values + ((long)token * stride));
            }

            for (int i = 0; i < Half; i += TLanes.Count)
            {
                if (TTile.Queries == 8)
                {
                    Eight<LowerHalf>(weights, values, scales, i, stride, count, output + i, size);
                    Eight<UpperHalf>(weights, values, scales, i, stride, count, output + Half + i, size);
                }
                else
                {
                    Pairs(weights, values, scales, i, stride, count, output + i, size);
                }
            }
        }
    }

    /// <summary>One register of a value for eight queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Eight<THalf>(float* weights, byte* value, float* scales, int i, int stride, int count, float* output, int size)
        where THalf : struct, IHalf
    {
        TLanes s0 = TLanes.Load(output), s1 = TLanes.Load(output + size), s2 = TLanes.Load(output + (2 * size)), s3 = TLanes.Load(output + (3 * size));
        float* second = output + (4 * size);
        TLanes s4 = TLanes.Load(second), s5 = TLanes.Load(second + size), s6 = TLanes.Load(second + (2 * size)), s7 = TLanes.Load(second + (3 * size));
        for (int token = 0; token < count; token++, value += stride, weights += 8)
        {
            var scale = TFormat.HasScales ? TLanes.Broadcast(scales[token]) : TLanes.Zero;
            var v = THalf.IsUpper ? TFormat.Upper(value, i, scale) : TFormat.Lower(value, i, scale);
            s0 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[0]), v, s0);
            s1 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[1]), v, s1);
            s2 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[2]), v, s2);
            s3 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[3]), v, s3);
            s4 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[4]), v, s4);
            s5 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[5]), v, s5);
            s6 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[6]), v, s6);
            s7 = TLanes.MultiplyAdd(TLanes.Broadcast(weights[7]), v, s7);
        }

        s0.Store(output);
        s1.Store(output + size);
        s2.Store(output + (2 * size));
        s3.Store(output + (3 * size));
        s4.Store(second);
        s5.Store(second + size);
        s6.Store(second + (2 * size));
        s7.Store(second + (3 * size));
    }

    /// <summary>Two registers of a value for up to four queries: with fewer, several tokens at a time, whose sums are added at the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pairs(float* weights, byte* values, float* scales, int i, int stride, int count, float* output, int size)
    {
        TLanes l0 = TLanes.Zero, l1 = TLanes.Zero, l2 = TLanes.Zero, l3 = TLanes.Zero, u0 = TLanes.Zero, u1 = TLanes.Zero, u2 = TLanes.Zero, u3 = TLanes.Zero;
        int token = 0;
        int tokens = 4 / TTile.Queries;
        for (; token <= count - tokens; token += tokens, weights += 4)
        {
            byte* value = values + ((long)token * stride);
            var scale = Scale(scales, token);
            TLanes lower = TFormat.Lower(value, i, scale), upper = TFormat.Upper(value, i, scale);
            var weight = TLanes.Broadcast(weights[0]);
            (l0, u0) = (TLanes.MultiplyAdd(weight, lower, l0), TLanes.MultiplyAdd(weight, upper, u0));
            if (TTile.Queries == 1)
            {
                scale = Scale(scales, token + 1);
                (lower, upper) = (TFormat.Lower(value + stride, i, scale), TFormat.Upper(value + stride, i, scale));
            }

            weight = TLanes.Broadcast(weights[1]);
            (l1, u1) = (TLanes.MultiplyAdd(weight, lower, l1), TLanes.MultiplyAdd(weight, upper, u1));
            if (TTile.Queries <= 2)
            {
                value += stride * (long)(2 / TTile.Queries);
                scale = Scale(scales, token + (2 / TTile.Queries));
                (lower, upper) = (TFormat.Lower(value, i, scale), TFormat.Upper(value, i, scale));
            }

            weight = TLanes.Broadcast(weights[2]);
            (l2, u2) = (TLanes.MultiplyAdd(weight, lower, l2), TLanes.MultiplyAdd(weight, upper, u2));
            if (TTile.Queries == 1)
            {
                scale = Scale(scales, token + 3);
                (lower, upper) = (TFormat.Lower(value + stride, i, scale), TFormat.Upper(value + stride, i, scale));
            }

            weight = TLanes.Broadcast(weights[3]);
            (l3, u3) = (TLanes.MultiplyAdd(weight, lower, l3), TLanes.MultiplyAdd(weight, upper, u3));
        }

        for (; token < count; token++, weights += TTile.Queries)
        {
            byte* value = values + ((long)token * stride);
            var scale = Scale(scales, token);
            TLanes lower = TFormat.Lower(value, i, scale), upper = TFormat.Upper(value, i, scale);
            var weight = TLanes.Broadcast(weights[0]);
            (l0, u0) = (TLanes.MultiplyAdd(weight, lower, l0), TLanes.MultiplyAdd(weight, upper, u0));
            if (TTile.Queries == 1) continue;
            weight = TLanes.Broadcast(weights[1]);
            (l1, u1) = (TLanes.MultiplyAdd(weight, lower, l1), TLanes.MultiplyAdd(weight, upper, u1));
        }

        if (TTile.Queries == 1)
        {
            AddTo(output, TLanes.Add(TLanes.Add(l0, l1), TLanes.Add(l2, l3)), TLanes.Add(TLanes.Add(u0, u1), TLanes.Add(u2, u3)));
        }
        else if (TTile.Queries == 2)
        {
            AddTo(output, TLanes.Add(l0, l2), TLanes.Add(u0, u2));
            AddTo(output + size, TLanes.Add(l1, l3), TLanes.Add(u1, u3));
        }
        else
        {
            AddTo(output, l0, u0);
            AddTo(output + size, l1, u1);
            AddTo(output + (2 * size), l2, u2);
            AddTo(output + (3 * size), l3, u3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Scale(float* scales, int token) => TFormat.HasScales ? TLanes.Broadcast(scales[token]) : TLanes.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo(float* output, TLanes lower, TLanes upper)
    {
        TLanes.Add(TLanes.Load(output), lower).Store(output);
        TLanes.Add(TLanes.Load(output + Half), upper).Store(output + Half);
    }

    private interface IHalf
    {
        static abstract bool IsUpper { get; }
    }

    private readonly struct LowerHalf : IHalf
    {
        public static bool IsUpper => false;
    }

    private readonly struct UpperHalf : IHalf
    {
        public static bool IsUpper => true;
    }
}
