namespace FastLayers.Tokenization;

/// <summary>A heap of numbers whose smallest comes out first. Each node has four children, which share a cache line.</summary>
internal sealed class MinHeap
{
    private const int Arity = 4;

    private long[] _items = new long[64];
    private int _count;

    public void Clear() => _count = 0;

    public void Add(long item)
    {
        if (_count == _items.Length) Array.Resize(ref _items, 2 * _count);
        var at = _count++;
        while (at > 0 && (at - 1) / Arity is var parent && item < _items[parent])
        {
            _items[at] = _items[parent];
            at = parent;
        }
        _items[at] = item;
    }

    public bool TryRemove(out long smallest)
    {
        smallest = 0;
        if (_count == 0) return false;
        smallest = _items[0];
        var item = _items[--_count];
        var at = 0;
        while (Arity * at + 1 is var first && first < _count)
        {
            var child = first;
            for (var other = first + 1; other < Math.Min(first + Arity, _count); other++)
            {
                if (_items[other] < _items[child]) child = other;
            }
            if (item <= _items[child]) break;
            _items[at] = _items[child];
            at = child;
        }
        _items[at] = item;
        return true;
    }
}
