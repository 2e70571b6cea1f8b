using FastLayers.Kernels.Formats;

namespace FastLayers.Loading;

/// <summary>Where a tensor of a model file lies and how it is stored.</summary>
/// <param name="Name">The tensor's name in the file.</param>
/// <param name="Shape">Row-major, slowest axis first; a matrix is <c>[rows, columns]</c> and a scalar is <c>[1]</c>. Not to be changed.</param>
/// <param name="Format">The storage format of each row.</param>
/// <param name="File">The file that holds the bytes: one of several for a sharded model.</param>
/// <param name="Offset">The first byte, from the start of <paramref name="File"/>.</param>
/// <param name="ByteLength">The bytes of all rows; rows follow each other without padding.</param>
public sealed record TensorEntry(string Name, long[] Shape, Format Format, string File, long Offset, long ByteLength)
{
    /// <summary>The length of the fastest axis.</summary>
    public long Columns => Shape[^1];

    /// <summary>The product of all other axes.</summary>
    public long Rows
    {
        get
        {
            long product = 1;
            foreach (var length in Shape.AsSpan(0, Shape.Length - 1)) product *= length;
            return product;
        }
    }
}

/// <summary>A tensor that a file lists but that no layer can read: integers, 8-bit floats, more than four axes, no values.</summary>
/// <param name="Name">The tensor's name in the file.</param>
/// <param name="ElementType">The element type as the file writes it, e.g. <c>I64</c> or <c>F8_E4M3</c>.</param>
/// <param name="Shape">Row-major, slowest axis first. Not to be changed.</param>
/// <param name="File">The file that holds the bytes.</param>
/// <param name="Reason">Why it cannot be read, as part of a sentence.</param>
public sealed record UnsupportedTensor(string Name, string ElementType, long[] Shape, string File, string Reason);
