using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.KvCache;

/// <summary>
/// The kernels of <see cref="AppendQuantizedKvKernels"/>: a group takes a head of a row. No thread needs what another computes: one that packs
/// a word of codes reads the whole group of values for its smallest and largest, which costs less than exchanging them.
/// </summary>
internal static class QuantizeRowsKernels
{
    private const int TokensPerGroup = QuantizedPageLayout.TokensPerGroup;

    /// <summary>Scales per token: a thread packs a word of codes. Where there is a tail, the row that completes a group packs all its tokens.</summary>
    internal static void Tokens(QuantizeRows a)
    {
        int row = Grid.IdxX;
        int position = a.Positions[row];
        int tokens = a.Layout.TailTokens == 0 ? 1 : position % TokensPerGroup == TokensPerGroup - 1 ? TokensPerGroup : 0;
        int bits = a.Layout.Bits;
        int size = a.Layout.Size;
        int headWords = a.Layout.HeadBytes / 4;
        var page = a.Words.SubView(((PageOf(a, row) * a.Layout.Heads) + Grid.IdxY) * headWords, headWords);
        int rowWords = a.Layout.RowWords;
        int groups = a.Layout.Groups;
        int shift = a.Layout.GroupShift;
        int perWord = 32 / bits;
        for (int unit = Group.IdxX; unit < tokens * rowWords; unit += Group.DimX)
        {
            int back = unit / rowWords;
            int word = unit - (back * rowWords);
            int token = (position - back) % PagedCache.PageLength;
            int source = RowOf(a, row, row, position - back);
            var x = source >= 0 ? SourceRow(a, source) : a.Tail.SubView(TailStart(a, a.Sequences[row], token % TokensPerGroup), size);
            int first = word * perWord;
            int group = first >> shift;
            int start = group << shift;
            int end = groups == 1 ? size : IntrinsicMath.Min(size, start + (1 << shift));
            float lo = x[start];
            float hi = lo;
            int finite = 1;
            for (int i = start; i < end; i++)
            {
                float value = x[i];
                if (value < lo) lo = value;
                if (value > hi) hi = value;
                if (!QuantizedWord.IsFinite(value)) finite = 0;
            }

            int parameters = QuantizedWord.Parameters(lo, hi, finite, bits);
            if (first == start) page[a.Layout.ParameterWord + (token * groups) + group] = parameters;
            float scale = QuantizedWord.Scale(parameters);
            float minimum = QuantizedWord.Minimum(parameters);
            int codes = 0;
            for (int i = IntrinsicMath.Min(size, first + perWord) - 1; i >= first; i--)
                codes = (codes << bits) | QuantizedWord.Code(x[i], minimum, scale, (1 << bits) - 1);
            page[(token * rowWords) + word] = codes;
        }
    }

    /// <summary>16 bits: a thread stores a value.</summary>
    internal static void Halves(QuantizeRows a)
    {
        int row = Grid.IdxX;
        int size = a.Layout.Size;
        var x = SourceRow(a, row);
        long first = ((((PageOf(a, row) * a.Layout.Heads) + Grid.IdxY) * PagedCache.PageLength) + (a.Positions[row] % PagedCache.PageLength)) * size;
        var y = a.Halves.SubView(first, size);
        for (int i = Group.IdxX; i < size; i += Group.DimX) y[i] = GpuF16.FromFloat(x[i]);
    }

    /// <summary>Scales per channel: if the row completes a group of 32 tokens, a thread packs a channel of it.</summary>
    internal static void Channels(QuantizeRows a)
    {
        int row = Grid.IdxX;
        int position = a.Positions[row];
        if (position % TokensPerGroup != TokensPerGroup - 1) return;
        int bits = a.Layout.Bits;
        int channels = a.Layout.Channels;
        int blockWords = a.Layout.BlockWords;
        int headWords = a.Layout.HeadBytes / 4;
        var words = a.Words.SubView((((PageOf(a, row) * a.Layout.Heads) + Grid.IdxY) * headWords) + (position % PagedCache.PageLength / TokensPerGroup * blockWords), blockWords);
        for (int channel = Group.IdxX; channel < a.Layout.Size; channel += Group.DimX)
        {
            float lo = Key(a, row, row, TokensPerGroup - 1, channel);
            float hi = lo;
            int finite = 1;
            int source = row + 1;
            for (int token = TokensPerGroup - 1; token >= 0; token--)
            {
                source = RowOf(a, row, source - 1, position - TokensPerGroup + 1 + token);
                float value = Key(a, row, source, token, channel);
                if (value < lo) lo = value;
                if (value > hi) hi = value;
                if (!QuantizedWord.IsFinite(value)) finite = 0;
            }

            int parameters = QuantizedWord.Parameters(lo, hi, finite, bits);
            words[(bits * channels) + channel] = parameters;
            float scale = QuantizedWord.Scale(parameters);
            float minimum = QuantizedWord.Minimum(parameters);
            int codes = 0;
            int perWord = 32 / bits;
            source = row + 1;
            for (int token = TokensPerGroup - 1; token >= 0; token--)
            {
                source = RowOf(a, row, source - 1, position - TokensPerGroup + 1 + token);
                codes = (codes << bits) | QuantizedWord.Code(Key(a, row, source, token, channel), minimum, scale, (1 << bits) - 1);
                if (token % perWord == 0)
                {
                    words[(token / perWord * channels) + channel] = codes;
                    codes = 0;
                }
            }
        }
    }

    /// <summary>The last 32 tokens of a sequence go to its tail.</summary>
    internal static void Tail(QuantizeRows a)
    {
        int row = Grid.IdxX;
        int position = a.Positions[row];
        int sequence = a.Sequences[row];
        for (int later = row + 1; later < a.Rows; later++)
        {
            if (a.Sequences[later] == sequence && (a.Positions[later] - position) % TokensPerGroup == 0) return;
        }

        int size = a.Layout.Size;
        var x = SourceRow(a, row);
        var tail = a.Tail.SubView(TailStart(a, sequence, position % TokensPerGroup), size);
        for (int i = Group.IdxX; i < size; i += Group.DimX) tail[i] = x[i];
    }

    private static long PageOf(QuantizeRows a, int row) => a.PageTable[((long)a.Sequences[row] * a.PagesPerSequence) + (a.Positions[row] / PagedCache.PageLength)];

    private static ArrayView<float> SourceRow(QuantizeRows a, int row) => a.Source.SubView((((long)row * a.Layout.Heads) + Grid.IdxY) * a.Layout.Size, a.Layout.Size);

    private static long TailStart(QuantizeRows a, int sequence, int token) => ((((long)sequence * a.Layout.Heads) + Grid.IdxY) * TokensPerGroup + token) * a.Layout.Size;

    /// <summary>The row at or before <paramref name="from"/> with a position of the sequence of <paramref name="row"/>; below 0 if there is none: then the token is in the tail.</summary>
    private static int RowOf(QuantizeRows a, int row, int from, int position)
    {
        int sequence = a.Sequences[row];
        while (from >= 0 && !(a.Sequences[from] == sequence && a.Positions[from] == position)) from--;
        return from;
    }

    private static float Key(QuantizeRows a, int row, int source, int token, int channel) => source >= 0
        ? a.Source[((((long)source * a.Layout.Heads) + Grid.IdxY) * a.Layout.Size) + channel]
        : a.Tail[TailStart(a, a.Sequences[row], token) + channel];
}
