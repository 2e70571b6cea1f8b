namespace FastLayers.Kernels.Selection;

/// <summary>
/// A binary heap in two spans whose root is the entry to be replaced next: the least value, of equal ones the highest index.
/// </summary>
internal ref struct WorstFirstHeap(Span<int> indices, Span<float> values)
{
    private readonly Span<int> _indices = indices;
    private readonly Span<float> _values = values;

    /// <summary>Entries held.</summary>
    public int Count { get; private set; }

    /// <summary>Whether another entry must replace one.</summary>
    public readonly bool IsFull => Count == _values.Length;

    /// <summary>The value that a new entry must exceed, once the heap is full and not empty. Indices rise, so an equal value comes too late.</summary>
    public readonly float Threshold => _values[0];

    /// <summary>Adds an entry to a heap that is not full.</summary>
    public void Push(int index, float value)
    {
        var place = Count++;
        while (place > 0)
        {
            var parent = (place - 1) / 2;
            if (!IsWorse(index, value, parent)) break;
            Move(parent, place);
            place = parent;
        }

        _indices[place] = index;
        _values[place] = value;
    }

    /// <summary>Puts an entry in place of the root.</summary>
    public readonly void ReplaceRoot(int index, float value) => SiftDown(index, value, Count);

    /// <summary>Orders the entries by falling value, then rising index. The heap is not a heap any more.</summary>
    public readonly void SortBestFirst()
    {
        for (var last = Count - 1; last > 0; last--)
        {
            var (index, value) = (_indices[last], _values[last]);
            Move(0, last);
            SiftDown(index, value, last);
        }
    }

    private readonly void SiftDown(int index, float value, int count)
    {
        var place = 0;
        while (true)
        {
            var child = 2 * place + 1;
            if (child >= count) break;
            if (child + 1 < count && IsWorse(_indices[child + 1], _values[child + 1], child)) child++;
            if (IsWorse(index, value, child)) break;
            Move(child, place);
            place = child;
        }

        _indices[place] = index;
        _values[place] = value;
    }

    private readonly bool IsWorse(int index, float value, int place) =>
        value < _values[place] || (value == _values[place] && index > _indices[place]);

    private readonly void Move(int from, int to) => (_indices[to], _values[to]) = (_indices[from], _values[from]);
}
