using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;

namespace FastLayers;

/// <summary>
/// The key/value pages of a session and its forks. Pages are counted: a forked sequence shares them, and the first writer of a shared page
/// gets a copy. The memory grows when forks need more than the session reserved.
/// </summary>
internal sealed class KvPool : IDisposable
{
    private readonly Device _device;
    private readonly Stack<int> _free = new();
    private readonly Lock _lock = new();
    private int[] _references;
    private int _users = 1;

    public KvPool(Transformer transformer, Format keyFormat, Format valueFormat, int pages)
    {
        _device = transformer.Device;
        _references = new int[pages];
        int heads = transformer.Config.Attention.KvHeads;
        var made = new List<Tensor>();
        try
        {
            Layers = [.. transformer.Weights.Layers.Select(layer => new KvLayer(Allocate(keyFormat, layer.KeySize), Allocate(valueFormat, layer.ValueSize), heads))];
        }
        catch
        {
            foreach (var tensor in made) tensor.Dispose();
            throw;
        }

        Release(0, pages);

        Tensor Allocate(Format format, int columns)
        {
            made.Add(_device.Allocate(format, Rows(pages, heads), columns));
            return made[^1];
        }
    }

    public IReadOnlyList<KvLayer> Layers { get; }

    public long ByteLength => Layers.Sum(l => l.Keys.ByteLength + l.Values.ByteLength);

    /// <summary>Pages that no sequence uses; for tests.</summary>
    internal int FreePages => _free.Count;

    public int Acquire()
    {
        lock (_lock)
        {
            if (_free.Count == 0) Grow();
            int page = _free.Pop();
            _references[page] = 1;
            return page;
        }
    }

    public void Share(int page)
    {
        lock (_lock) _references[page]++;
    }

    public void Return(int page)
    {
        lock (_lock)
        {
            if (--_references[page] == 0) _free.Push(page);
        }
    }

    /// <summary>The page itself if nobody shares it, else a copy that belongs to the caller.</summary>
    public int MakeWritable(int page)
    {
        lock (_lock)
        {
            if (_references[page] == 1) return page;
            int copy = Acquire();
            _references[page]--;
            foreach (var layer in Layers)
            {
                long rows = Rows(1, layer.Heads);
                _device.Copy(layer.Keys, page * rows, layer.Keys, copy * rows, rows);
                _device.Copy(layer.Values, page * rows, layer.Values, copy * rows, rows);
            }

            return copy;
        }
    }

    public KvPool AddUser()
    {
        Interlocked.Increment(ref _users);
        return this;
    }

    /// <summary>Frees the memory when the last user lets go.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref _users) != 0) return;
        foreach (var layer in Layers)
        {
            layer.Keys.Dispose();
            layer.Values.Dispose();
        }
    }

    private static long Rows(int pages, int heads) => (long)pages * heads * PagedCache.PageLength;

    private void Release(int first, int end)
    {
        for (int page = end - 1; page >= first; page--) _free.Push(page);
    }

    private void Grow()
    {
        int old = _references.Length;
        int pages = checked(old * 2);
        foreach (var layer in Layers)
        {
            layer.Keys = Enlarge(layer.Keys, Rows(pages, layer.Heads));
            layer.Values = Enlarge(layer.Values, Rows(pages, layer.Heads));
        }

        Array.Resize(ref _references, pages);
        Release(old, pages);
    }

    private Tensor Enlarge(Tensor tensor, long rows)
    {
        var larger = _device.Allocate(tensor.Format, rows, tensor.Columns);
        try
        {
            _device.Copy(tensor, 0, larger, 0, tensor.Rows);
        }
        catch
        {
            larger.Dispose();
            throw;
        }

        tensor.Dispose();
        return larger;
    }
}
