using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Arguments of the kernels for float activations: <c>y[m, n] = bias[n] + Σ_k x[m, k] · w[n, k]</c>.
/// </summary>
internal struct FloatProduct<TWeights>
    where TWeights : struct, IGpuWeights
{
    public TWeights Weights;
    public ArrayView<float> Bias;
    public ArrayView<float> X;
    public ArrayView<float> Y;
    public int Rows;
    public int Outputs;
    public int Columns;
    public int HasBias;

    /// <summary>Threads of a tile next to each other along the outputs; see <see cref="GemmKernels"/>.</summary>
    public int Across;

    /// <summary>Values 4·<paramref name="quad"/> to 4·<paramref name="quad"/>+3 of a row of activations; zero beyond its end.</summary>
    public readonly Float4 Activations(int row, int quad)
    {
        var x = X.SubView((long)row * Columns, Columns);
        int first = 4 * quad;
        if (Weights.AlwaysWhole || ((Columns & 3) == 0 && first < Columns)) return x.Cast<Float4>().AsAligned(16)[quad];
        return Quads.Of(
            first < Columns ? x[first] : 0,
            first + 1 < Columns ? x[first + 1] : 0,
            first + 2 < Columns ? x[first + 2] : 0,
            first + 3 < Columns ? x[first + 3] : 0);
    }

    /// <summary>Stores a sum with its bias, if there is such a row and such an output.</summary>
    public readonly void Store(int row, int output, float sum)
    {
        if (row >= Rows || output >= Outputs) return;
        Y[((long)row * Outputs) + output] = HasBias != 0 ? sum + Bias[output] : sum;
    }
}
