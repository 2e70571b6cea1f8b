using ILGPU;

namespace FastLayers.Kernels.Gpu;

/// <summary>Checks before a launch: kernels cannot throw.</summary>
internal static class LaunchArguments
{
    /// <summary>Columns a row at the most, so that strides past the end of a row still fit an integer.</summary>
    public const int MaxColumns = 1 << 30;

    /// <summary>Throws unless a number of rows and columns can be worked on.</summary>
    /// <exception cref="ArgumentException">A number is negative, or there are too many columns.</exception>
    public static void RequireSizes(string operation, int rows, int columns)
    {
        RequireCount(operation, nameof(rows), rows);
        if (columns is < 0 or > MaxColumns) throw new ArgumentException($"{operation}: expected 0 to {MaxColumns} columns, found {columns}.", nameof(columns));
    }

    /// <summary>Throws if a number of things is negative.</summary>
    /// <exception cref="ArgumentException">It is.</exception>
    public static void RequireCount(string operation, string name, int count)
    {
        if (count < 0) throw new ArgumentException($"{operation}: '{name}' should be 0 or more, found {count}.", name);
    }

    /// <summary>Throws if a view is shorter than what the kernel reads or writes; it may be longer.</summary>
    /// <exception cref="ArgumentException">It is shorter.</exception>
    public static void Require<T>(string operation, string name, ArrayView<T> view, long length)
        where T : unmanaged
    {
        if (view.Length < length) throw new ArgumentException($"{operation}: '{name}' should have {length} elements, found {view.Length}.", name);
    }

    /// <summary>The same for a view that may be left out.</summary>
    /// <exception cref="ArgumentException">It is neither empty nor long enough.</exception>
    public static void RequireOrEmpty<T>(string operation, string name, ArrayView<T> view, long length)
        where T : unmanaged
    {
        if (view.Length > 0) Require(operation, name, view, length);
    }
}
