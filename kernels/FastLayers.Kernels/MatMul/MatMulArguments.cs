using FastLayers.Kernels.Emit;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.MatMul;

/// <summary>Operands of a product of activations with the transpose of a weight matrix; pointers into memory that the caller keeps alive.</summary>
public readonly unsafe struct MatMulArguments
{
    /// <summary>Storage format of the weights.</summary>
    public required Format Format { get; init; }

    /// <summary>The matrix [<see cref="Outputs"/>, <see cref="Columns"/>], row after row without gaps.</summary>
    public required byte* Weights { get; init; }

    /// <summary>One value an output, or null.</summary>
    public float* Bias { get; init; }

    /// <summary>Activations [<see cref="Rows"/>, <see cref="Columns"/>].</summary>
    public required float* Input { get; init; }

    /// <summary>Result [<see cref="Rows"/>, <see cref="Outputs"/>]; must not overlap the operands.</summary>
    public required float* Output { get; init; }

    /// <summary>Number of activation rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows of the weight matrix.</summary>
    public required int Outputs { get; init; }

    /// <summary>Columns of the weight matrix.</summary>
    public required int Columns { get; init; }

    /// <summary>Which code multiplies interleaved weights.</summary>
    public KernelCode Code { get; init; }

    /// <summary>Bytes a weight row.</summary>
    internal long RowBytes => Format.RowBytes(Columns);

    /// <summary>Throws unless the sizes describe a product.</summary>
    /// <exception cref="ArgumentException">A size is negative, or a weight row is not whole blocks.</exception>
    internal void Check(string operation)
    {
        ArgumentNullException.ThrowIfNull(Format);
        if (Rows < 0 || Outputs < 0 || Columns < 0 || Columns % Format.BlockLength != 0)
        {
            throw new ArgumentException(
                $"{operation}: expected sizes of at least 0 and a multiple of {Format.BlockLength} columns, "
                + $"found an input of [{Rows}, {Columns}] and {Format.Name} weights of [{Outputs}, {Columns}].", nameof(operation));
        }
    }
}
