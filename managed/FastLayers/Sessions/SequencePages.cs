using FastLayers.Kernels.KvCache;

namespace FastLayers;

/// <summary>The page tables and lengths of a session's sequences.</summary>
internal sealed class SequencePages(KvPool pool, int sequences, int contextLength)
{
    private readonly int[] _lengths = new int[sequences];

    public int PagesPerSequence { get; } = PagesFor(contextLength);

    public int[] Table { get; } = new int[sequences * PagesFor(contextLength)];

    public static int PagesFor(int length) => (length / PagedCache.PageLength) + (length % PagedCache.PageLength == 0 ? 0 : 1);

    public int Length(int sequence) => _lengths[sequence];

    /// <summary>Adds one token and makes its page exist and belong to this sequence alone; returns its position.</summary>
    public int Append(int sequence)
    {
        int position = _lengths[sequence];
        ref int page = ref Table[(sequence * PagesPerSequence) + (position / PagedCache.PageLength)];
        page = position % PagedCache.PageLength == 0 ? pool.Acquire() : pool.MakeWritable(page);
        return _lengths[sequence]++;
    }

    public void Rewind(int sequence, int length)
    {
        int first = sequence * PagesPerSequence;
        for (int i = PagesFor(length); i < PagesFor(_lengths[sequence]); i++) pool.Return(Table[first + i]);
        _lengths[sequence] = length;
    }

    /// <summary>Makes <paramref name="target"/> of this table the same as a sequence of another; the pages are shared.</summary>
    public void ShareFrom(SequencePages source, int sequence, int target)
    {
        int length = source.Length(sequence);
        for (int i = 0; i < PagesFor(length); i++)
        {
            int page = source.Table[(sequence * source.PagesPerSequence) + i];
            pool.Share(page);
            Table[(target * PagesPerSequence) + i] = page;
        }

        _lengths[target] = length;
    }
}
