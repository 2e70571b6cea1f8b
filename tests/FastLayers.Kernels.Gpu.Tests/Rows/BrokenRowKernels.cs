using FastLayers.Kernels.Gpu.Elementwise;
using FastLayers.Kernels.Gpu.Normalize;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.Rows;

/// <summary>Kernels that are wrong on purpose.</summary>
internal static class BrokenRowKernels
{
    /// <summary>Long enough for the other threads of a group to go on without the last.</summary>
    private const int Delay = 2_000_000;

    /// <summary>The factor forgets that the squares are to be divided by their number.</summary>
    public static void RmsNormOfTheSum(NormRows.Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        long start = (long)Grid.IdxX * a.Columns;
        float squares = GroupReduce.Sum(shared, RowSums.Squares(a.X.SubView(start, a.Columns), a.Columns, 0));
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX) a.Y[start + i] = a.X[start + i] / MathF.Sqrt(squares + a.Epsilon) * a.Weight[i];
    }

    /// <summary>Threads add up what the others may not have written yet.</summary>
    public static void RmsNormWithoutBarrier(NormRows.Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        long start = (long)Grid.IdxX * a.Columns;
        float squares = SumWithoutBarrier(shared, RowSums.Squares(a.X.SubView(start, a.Columns), a.Columns, 0));
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX)
            a.Y[start + i] = a.X[start + i] / MathF.Sqrt((squares / a.Columns) + a.Epsilon) * a.Weight[i];
    }

    /// <summary>The same in a softmax.</summary>
    public static void SoftmaxWithoutBarrier(RowMap.Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        long start = (long)Grid.IdxX * a.Columns;
        float sum = 0;
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX) sum += MathF.Exp(a.X[start + i] * a.Parameter);
        sum = SumWithoutBarrier(shared, sum);
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX) a.Y[start + i] = MathF.Exp(a.X[start + i] * a.Parameter) / sum;
    }

    private static float SumWithoutBarrier(ArrayView<float> shared, float value)
    {
        if (Group.IdxX == Group.DimX - 1)
        {
            float wasted = value;
            for (int i = 0; i < Delay; i++) wasted = (wasted * 0.5f) + 1;
            if (wasted == 0) value = wasted;
        }

        shared[Group.IdxX] = value;
        float sum = 0;
        for (int i = 0; i < Group.DimX; i++) sum += shared[i];
        return sum;
    }
}

/// <summary>SiLU with the constant of a quick GELU.</summary>
internal readonly struct ScaledSilu : IElementFunction
{
    public float Invoke(float x, float parameter) => x / (MathF.Exp(-1.702f * x) + 1);
}

/// <summary>A tanh that cancels for small values.</summary>
internal readonly struct CancellingTanh : IElementFunction
{
    public float Invoke(float x, float parameter) => (1 - (2 / (MathF.Exp(x / parameter * 2) + 1))) * parameter * 1.000_01f;
}

/// <summary>A gate that multiplies by the wrong operand.</summary>
internal readonly struct SquaredGate : IElementFunction2
{
    public float Invoke(float x, float y, float parameter) => x < 0 ? 0 : x * x;
}

/// <summary>A difference instead of a sum.</summary>
internal readonly struct Difference : IElementFunction2
{
    public float Invoke(float x, float y, float parameter) => y - x;
}
