using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// Float activations in groups of six rows, column after column, as <see cref="InterleavedFloatProduct{TFloats}"/> reads them: rows a multiple
/// of 4 KiB apart would drive each other out of the cache. Rows that make no whole group stay where they are.
/// </summary>
internal readonly unsafe struct InterleavedRows(float* memory, int rows)
{
    /// <summary>Rows of a group.</summary>
    public const int GroupRows = 6;

    /// <summary>Rows in groups.</summary>
    public int Count => rows / GroupRows * GroupRows;

    /// <summary>Memory that <paramref name="rows"/> rows need.</summary>
    public static long Bytes(int rows, int columns) => (long)rows / GroupRows * GroupRows * columns * sizeof(float);

    /// <summary>The group that starts with a row.</summary>
    public float* Group(int row, int columns) => memory + ((long)row * columns);

    /// <summary>Fills the groups.</summary>
    public void Fill(WorkerPool pool, float* input, int columns) => pool.Run(new Work(this, input, columns), Count / GroupRows, Math.Max(1, 4096 / Math.Max(1, columns)));

    private readonly struct Work(InterleavedRows target, float* input, int columns) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int group = start; group < end; group++)
            {
                float* from = input + ((long)group * GroupRows * columns);
                float* to = target.Group(group * GroupRows, columns);
                for (int k = 0; k < columns; k++)
                {
                    for (int row = 0; row < GroupRows; row++) *to++ = from[((long)row * columns) + k];
                }
            }
        }
    }
}
