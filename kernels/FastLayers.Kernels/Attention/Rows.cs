using System.Runtime.CompilerServices;

namespace FastLayers.Kernels.Attention;

/// <summary>Rows in memory.</summary>
internal readonly unsafe struct Rows<T>(T* first, int stride, int count)
    where T : unmanaged
{
    /// <summary>Number of rows.</summary>
    public int Count => count;

    /// <summary>Elements from row to row.</summary>
    public int Stride => stride;

    /// <summary>A row.</summary>
    public T* this[int row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => first + ((long)row * stride);
    }

    /// <summary>The rows from one on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Rows<T> From(int row) => new(this[row], stride, count - row);

    /// <summary>The same rows, read as whole numbers.</summary>
    public Rows<int> AsInts() => new((int*)first, stride * sizeof(T) / sizeof(int), count);

    /// <summary>The same rows without their first elements.</summary>
    public Rows<T> Skip(int elements) => new(first + elements, stride, count);
}
