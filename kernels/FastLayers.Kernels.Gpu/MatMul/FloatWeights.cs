using FastLayers.Kernels.Gpu.Formats;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>A matrix of floats, with any number of columns. Rows that all start at a multiple of four elements are loaded by fours.</summary>
internal struct FloatWeights<TElement, TFloat> : IGpuWeights
    where TElement : unmanaged
    where TFloat : struct, IGpuFloat<TElement>
{
    public GpuMatrix Matrix;

    public readonly bool AlwaysWhole => false;

    public readonly Float4 Quad(int output, int quad)
    {
        TFloat format = default;
        int first = 4 * quad;
        int columns = Matrix.Columns;
        var row = Matrix.RowElements<TElement>(output);
        if ((columns & 3) == 0 && first < columns)
        {
            var four = row.Cast<Four<TElement>>().AsAligned(4 * Interop.SizeOf<TElement>())[quad];
            return Quads.Of(format.Load(four.A), format.Load(four.B), format.Load(four.C), format.Load(four.D));
        }

        return Quads.Of(
            first < columns ? format.Load(row[first]) : 0,
            first + 1 < columns ? format.Load(row[first + 1]) : 0,
            first + 2 < columns ? format.Load(row[first + 2]) : 0,
            first + 3 < columns ? format.Load(row[first + 3]) : 0);
    }

    public readonly float Dot(int output, int octet, Float4 low, Float4 high) =>
        Quads.Dot(Quad(output, 2 * octet), low) + Quads.Dot(Quad(output, (2 * octet) + 1), high);
}
