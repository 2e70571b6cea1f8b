using FastLayers.Kernels.MatMul;
using ILGPU;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>Rows of activations rounded to 8 bit in the memory of a device, in the planes of <see cref="QuantizedActivations"/>.</summary>
internal struct GpuQuantizedActivations
{
    /// <summary>Four codes a word, [rows, columns / 4].</summary>
    public ArrayView<int> Codes;

    /// <summary>Scales, [rows, columns / 32].</summary>
    public ArrayView<float> Scales;

    /// <summary>Scaled sums over 16 values, [rows, columns / 16].</summary>
    public ArrayView<float> Sums16;

    /// <summary>The planes in one piece of memory.</summary>
    /// <param name="memory">As many bytes as <see cref="QuantizedActivations.Bytes"/> says, from a multiple of 16 on.</param>
    /// <param name="rows">Rows of activations.</param>
    /// <param name="columns">Values a row; a multiple of 32.</param>
    /// <exception cref="ArgumentException">A size does not fit.</exception>
    public static GpuQuantizedActivations On(ArrayView<byte> memory, int rows, int columns)
    {
        if (columns % QuantizedActivations.BlockLength != 0)
            throw new ArgumentException($"Activations are rounded in blocks of {QuantizedActivations.BlockLength}; {columns} columns do not divide.", nameof(columns));
        long expected = QuantizedActivations.Bytes(rows, columns);
        if (memory.Length != expected)
            throw new ArgumentException($"{rows} rows of {columns} rounded activations take {expected} bytes, found {memory.Length}.", nameof(memory));
        long values = (long)rows * columns;
        long scaleBytes = values / QuantizedActivations.BlockLength * sizeof(float);
        return new GpuQuantizedActivations
        {
            Codes = memory.SubView(0, values).Cast<int>(),
            Scales = memory.SubView(values, scaleBytes).Cast<float>(),
            Sums16 = memory.SubView(values + (2 * scaleBytes), 2 * scaleBytes).Cast<float>(),
        };
    }
}
