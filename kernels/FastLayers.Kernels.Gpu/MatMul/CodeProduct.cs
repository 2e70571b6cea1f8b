using FastLayers.Kernels.Gpu.Formats;
using ILGPU;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Arguments of the kernels for 8-bit activations: <c>y[m, n] = bias[n] + Σ_g scale_w · scale_x · Σ code_w · code_x - minimum · Σ x</c>,
/// with exact integer sums.
/// </summary>
internal struct CodeProduct
{
    public GpuMatrix Weights;
    public GpuQuantizedActivations Activations;
    public ArrayView<float> Bias;
    public ArrayView<float> Y;
    public int Rows;
    public int HasBias;

    /// <summary>Threads of a tile next to each other along the outputs; see <see cref="GemmKernels"/>.</summary>
    public int Across;

    /// <summary>Stores a sum with its bias, if there is such a row and such an output.</summary>
    public readonly void Store(int row, int output, float sum)
    {
        if (row >= Rows || output >= Weights.Rows) return;
        Y[((long)row * Weights.Rows) + output] = HasBias != 0 ? sum + Bias[output] : sum;
    }
}
