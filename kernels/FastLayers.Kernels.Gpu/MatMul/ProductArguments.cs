using FastLayers.Kernels.Gpu.Formats;
using ILGPU;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>Checks of the operands of a matrix product.</summary>
internal static class ProductArguments
{
    public static void RequireMatrix(GpuMatrix weight, int outputs, int columns)
    {
        if (weight.Rows != outputs || weight.Columns != columns)
            throw new ArgumentException($"Matrix product: the matrix should be {outputs} rows of {columns} columns, found {weight.Rows} of {weight.Columns}.", nameof(weight));
    }

    public static void RequireOutput(ArrayView<float> bias, ArrayView<float> y, int rows, int outputs)
    {
        if (bias.Length != 0) RequireLength("the bias", outputs, bias.Length);
        RequireLength("the output", (long)rows * outputs, y.Length);
    }

    public static void RequireLength(string operand, long expected, long found)
    {
        if (expected != found) throw new ArgumentException($"Matrix product: {operand} should have {expected} values, found {found}.");
    }
}
