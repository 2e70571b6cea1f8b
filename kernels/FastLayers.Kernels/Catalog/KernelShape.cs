using System.Globalization;

namespace FastLayers.Kernels.Catalog;

/// <summary>The named sizes of one case of an operation, for example <c>rows=3 columns=127</c>.</summary>
public sealed class KernelShape
{
    private readonly (string Name, int Value)[] _sizes;

    /// <summary>Creates the shape.</summary>
    /// <param name="sizes">Names and values, in the order in which they are printed.</param>
    public KernelShape(params ReadOnlySpan<(string Name, int Value)> sizes) => _sizes = sizes.ToArray();

    /// <summary>The size called <paramref name="name"/>.</summary>
    /// <exception cref="ArgumentException">The shape has no such size.</exception>
    public int this[string name]
    {
        get
        {
            foreach (var (candidate, value) in _sizes)
                if (candidate == name) return value;
            throw new ArgumentException($"Shape '{this}' has no size '{name}'.", nameof(name));
        }
    }

    /// <summary>All sizes as text.</summary>
    public override string ToString() =>
        string.Join(' ', _sizes.Select(size => string.Create(CultureInfo.InvariantCulture, $"{size.Name}={size.Value}")));
}
