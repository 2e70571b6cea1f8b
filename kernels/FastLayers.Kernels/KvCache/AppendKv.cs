using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.KvCache;

/// <summary>
/// Stores new keys and values: row r of both goes to token <c>positions[r]</c> of sequence <c>sequences[r]</c>. With a half-precision
/// cache each value is rounded to the nearest half, ties to even; from ±65,520 on it becomes infinite. A cache of blocks gets the bytes that
/// <see cref="Formats.Format.Encode"/> gives. Bound: reading the rows and writing them into the pages.
/// </summary>
public static unsafe class AppendKv
{
    /// <summary>Stores the rows.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="cache">The cache; the pages of all positions exist.</param>
    /// <param name="keys">New keys [rows, heads · key size].</param>
    /// <param name="values">New values [rows, heads · value size].</param>
    /// <param name="sequences">Sequence of each row.</param>
    /// <param name="positions">Position of each row in its sequence.</param>
    /// <param name="rows">Number of rows.</param>
    /// <exception cref="ArgumentException">A position has no page, the number of rows is negative, or a format has no kernels or does not fit the heads.</exception>
    public static void Append(WorkerPool pool, in PagedCache cache, float* keys, float* values, int* sequences, int* positions, int rows)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (rows < 0)
            throw new ArgumentException($"{nameof(AppendKv)}: expected at least 0 rows, found keys of [{rows}, {cache.Heads} · {cache.KeySize}].", nameof(rows));
        cache.RequireFormats(nameof(AppendKv));
        for (int row = 0; row < rows; row++) cache.Require(nameof(AppendKv), row, positions[row], positions[row] + 1L);
        pool.Run(new Work(cache, keys, values, sequences, positions), rows, minimumPerWorker: 8);
    }

    private readonly struct Work(PagedCache cache, float* keys, float* values, int* sequences, int* positions) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int row = start; row < end; row++)
            {
                for (int head = 0; head < cache.Heads; head++)
                {
                    long index = ((long)row * cache.Heads) + head;
                    CachedRow.Store(cache.KeyFormat, keys + (index * cache.KeySize), cache.Key(sequences[row], positions[row], head), cache.KeySize);
                    CachedRow.Store(cache.ValueFormat, values + (index * cache.ValueSize), cache.Value(sequences[row], positions[row], head), cache.ValueSize);
                }
            }
        }
    }
}
