using System.Runtime.Intrinsics;
using FastLayers.Kernels.Dequantize;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.KvCache;

/// <summary>
/// Quantizes and stores new keys and values: row r of both goes to token <c>positions[r]</c> of sequence <c>sequences[r]</c>, with the bytes that
/// <see cref="QuantizedCacheReference"/> defines. One work item is a head of the keys or of the values: its rows are stored in their order, which
/// fills the tail and packs its groups without a look at other rows.
/// </summary>
public static unsafe class AppendQuantizedKv
{
    /// <summary>Stores the rows.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="cache">The cache; the pages of all positions exist. <see cref="QuantizedCache.Lengths"/> is not read.</param>
    /// <param name="keys">New keys [rows, heads · key size].</param>
    /// <param name="values">New values [rows, heads · value size].</param>
    /// <param name="sequences">Sequence of each row.</param>
    /// <param name="positions">
    /// Position of each row in its sequence. The rows of a sequence come in ascending order without gaps, and go on where it ended; rows of different
    /// sequences may alternate.
    /// </param>
    /// <param name="rows">Number of rows.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> is negative.</exception>
    /// <exception cref="ArgumentException">Keys and values have different numbers of heads, values have scales per channel, or a tail is missing.</exception>
    public static void Append(WorkerPool pool, in QuantizedCache cache, float* keys, float* values, int* sequences, int* positions, int rows)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        cache.Check(nameof(AppendQuantizedKv), reads: false);
        pool.Run(new Work(pool, cache, keys, values, sequences, positions, rows), rows == 0 ? 0 : 2 * cache.Heads);
    }

    private readonly struct Work(WorkerPool pool, QuantizedCache cache, float* keys, float* values, int* sequences, int* positions, int rows) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            int size = Math.Max(cache.KeyLayout.Channels, cache.ValueLayout.Channels);
            var codes = (int*)pool.Scratch(worker, (long)size * sizeof(int));
            for (int item = start; item < end; item++)
            {
                bool isKey = item < cache.Heads;
                Store(isKey ? cache.KeySide : cache.ValueSide, item % cache.Heads, isKey ? keys : values, codes);
            }
        }

        private void Store(in QuantizedSide side, int head, float* source, int* codes)
        {
            for (int row = 0; row < rows; row++)
            {
                int sequence = sequences[row], position = positions[row];
                float* x = source + ((((long)row * side.Layout.Heads) + head) * side.Layout.Size);
                if (!side.HasTail)
                {
                    StoreToken(side.Layout, side.Head(sequence, position, head), position, x, codes);
                    continue;
                }

                new ReadOnlySpan<float>(x, side.Layout.Size).CopyTo(new Span<float>(side.Tail(sequence, position, head), side.Layout.Size));
                if (QuantizedSide.CompletesGroup(position)) PackGroup(side, sequence, position, head, codes);
            }
        }
    }

    /// <summary>Packs the group of 32 tokens that ends with a position.</summary>
    private static void PackGroup(in QuantizedSide side, int sequence, int position, int head, int* codes)
    {
        var layout = side.Layout;
        float* tail = side.Tail(sequence, position - QuantizedPageLayout.TokensPerGroup + 1, head);
        if (layout.ChannelScales != 0)
        {
            uint* words = side.Block(sequence, position, head);
            for (int channel = 0; channel < layout.Size; channel += Vector256<float>.Count)
                PackChannels(layout, tail + channel, Math.Min(Vector256<float>.Count, layout.Size - channel), words + channel);
            return;
        }

        byte* page = side.Head(sequence, position, head);
        for (int token = position - QuantizedPageLayout.TokensPerGroup + 1; token <= position; token++, tail += layout.Size) StoreToken(layout, page, token, tail, codes);
    }

    /// <summary>Packs 32 tokens of up to eight neighboring channels.</summary>
    private static void PackChannels(in QuantizedPageLayout layout, float* tail, int channels, uint* words)
    {
        const int tokens = QuantizedPageLayout.TokensPerGroup;
        float* block = stackalloc float[tokens * Vector256<float>.Count];
        float* minimums = stackalloc float[Vector256<float>.Count];
        float* scales = stackalloc float[Vector256<float>.Count];
        float* column = stackalloc float[tokens];
        new Span<float>(block, tokens * Vector256<float>.Count).Clear();
        new Span<float>(minimums, Vector256<float>.Count).Clear();
        new Span<float>(scales, Vector256<float>.Count).Clear();
        for (int token = 0; token < tokens; token++)
            for (int i = 0; i < channels; i++) block[(token * Vector256<float>.Count) + i] = tail[((long)token * layout.Size) + i];
        for (int i = 0; i < channels; i++)
        {
            for (int token = 0; token < tokens; token++) column[token] = block[(token * Vector256<float>.Count) + i];
            bool finite = QuantizedGroup.Range(column, tokens, out float lo, out float hi);
            words[(layout.Bits * layout.Channels) + i] = QuantizedGroup.Parameters(lo, hi, finite, layout.Bits, out minimums[i], out scales[i]);
        }

        var minimum = Vector256.Load(minimums);
        var scale = Vector256.Load(scales);
        int perWord = tokens / layout.Bits;
        for (int word = 0; word < layout.Bits; word++)
        {
            var packed = Vector256<int>.Zero;
            for (int i = perWord - 1; i >= 0; i--)
                packed = (packed << layout.Bits) | QuantizedGroup.Codes(Vector256.Load(block + (((word * perWord) + i) * Vector256<float>.Count)), minimum, scale, (1 << layout.Bits) - 1);
            for (int i = 0; i < channels; i++) words[(word * layout.Channels) + i] = (uint)packed[i];
        }
    }

    private static void StoreToken(in QuantizedPageLayout layout, byte* page, int position, float* values, int* codes)
    {
        int token = position % PagedCache.PageLength;
        if (layout.Bits == 16)
        {
            HalfPrecision.EncodeF16(new ReadOnlySpan<float>(values, layout.Size), new Span<ushort>((ushort*)page + (token * layout.Size), layout.Size));
            return;
        }

        for (int group = 0; group < layout.Groups; group++)
        {
            int start = group << layout.GroupShift;
            int count = Math.Min(layout.Size - start, layout.Group);
            bool finite = QuantizedGroup.Range(values + start, count, out float lo, out float hi);
            ((uint*)page)[layout.ParameterWord + (token * layout.Groups) + group] = QuantizedGroup.Parameters(lo, hi, finite, layout.Bits, out float minimum, out float scale);
            Codes(values + start, count, minimum, scale, (1 << layout.Bits) - 1, codes + start);
        }

        Pack(codes, layout.Size, layout.Bits, (uint*)page + (token * layout.RowWords));
    }

    private static void Codes(float* values, int count, float minimum, float scale, int levels, int* codes)
    {
        Vector256<float> low = Vector256.Create(minimum), step = Vector256.Create(scale);
        int i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count) QuantizedGroup.Codes(Vector256.Load(values + i), low, step, levels).Store(codes + i);
        if (i == count) return;
        float* rest = stackalloc float[Vector256<float>.Count];
        for (int k = 0; k < Vector256<float>.Count; k++) rest[k] = i + k < count ? values[i + k] : minimum;
        QuantizedGroup.Codes(Vector256.Load(rest), low, step, levels).Store(codes + i); // the codes have room for whole vectors
    }

    private static void Pack(int* codes, int count, int bits, uint* words)
    {
        int perWord = 32 / bits;
        for (int start = 0; start < count; start += perWord)
        {
            uint word = 0;
            for (int i = Math.Min(perWord, count - start) - 1; i >= 0; i--) word = (word << bits) | (uint)codes[start + i];
            *words++ = word;
        }
    }
}
