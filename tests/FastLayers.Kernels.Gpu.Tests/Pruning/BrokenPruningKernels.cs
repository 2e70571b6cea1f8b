using FastLayers.Kernels.Gpu.Pruning;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.Pruning;

/// <summary>Kernels of token pruning that are wrong on purpose.</summary>
internal static class BrokenPruningKernels
{
    /// <summary>Long enough for the other threads of a group to go on without the last.</summary>
    private const int Delay = 2_000_000;

    /// <summary>Sums of weights of the first of four rows, of threads that may not have written theirs yet; for one row.</summary>
    public static void StatisticsWithoutBarrier(AttentionColumnSumsKernels.Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        float sum = 0;
        for (int key = Group.IdxX; key < AttentionColumnSumsKernels.KeyEnd(a, 0); key += Group.DimX)
            sum += MathF.Exp(AttentionColumnSumsKernels.Products<float, AttentionColumnSumsKernels.FloatKeys>(a, 0, Grid.IdxY, key).X);
        shared[Group.IdxX] = Late(sum);
        if (Group.IdxX != 0) return;
        float total = 0;
        for (int i = 0; i < Group.DimX; i++) total += shared[i];
        a.Statistics[2 * Grid.IdxY] = 0;
        a.Statistics[(2 * Grid.IdxY) + 1] = 1 / total;
    }

    /// <summary>The anchor of the largest product, whatever its length.</summary>
    public static void AssignByProduct(AnchorAssignmentKernels.Arguments a) => Assign(a, false, 0);

    /// <summary>The last of equal anchors.</summary>
    public static void AssignLast(AnchorAssignmentKernels.Arguments a) => Assign(a, true, 1e-6f);

    /// <summary>The best anchor among those of threads that may not have written theirs yet.</summary>
    public static void AssignWithoutBarrier(AnchorAssignmentKernels.Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        int member = Grid.IdxX * a.Columns;
        float length = 0;
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX) length += a.Members[member + i] * a.Members[member + i];
        shared[Group.IdxX] = Late(length);
        float total = 0;
        for (int i = 0; i < Group.DimX; i++) total += shared[i];
        if (Group.IdxX == 0) Best(a, true, 0, total);
    }

    private static void Assign(AnchorAssignmentKernels.Arguments a, bool normalized, float margin)
    {
        int member = Grid.IdxX * a.Columns;
        float length = 0;
        for (int i = 0; i < a.Columns; i++) length += a.Members[member + i] * a.Members[member + i];
        if (Group.IdxX == 0) Best(a, normalized, margin, length);
    }

    private static void Best(AnchorAssignmentKernels.Arguments a, bool normalized, float margin, float length)
    {
        int member = Grid.IdxX * a.Columns, best = 0;
        float most = float.NegativeInfinity;
        for (int anchor = 0; anchor < a.AnchorCount; anchor++)
        {
            float product = 0, squares = 0;
            for (int i = 0; i < a.Columns; i++)
            {
                float value = a.Anchors[(anchor * a.Columns) + i];
                product += a.Members[member + i] * value;
                squares += value * value;
            }

            if (normalized) product = squares == 0 ? 0 : product / MathF.Sqrt(squares);
            if (product <= most - margin) continue;
            best = anchor;
            most = product;
        }

        a.Groups[Grid.IdxX] = best;
        a.Cosines[Grid.IdxX] = length == 0 ? 0 : most / MathF.Sqrt(length);
    }

    private static float Late(float value)
    {
        if (Group.IdxX != Group.DimX - 1) return value;
        float wasted = value;
        for (int i = 0; i < Delay; i++) wasted = (wasted * 0.5f) + 1;
        return wasted == 0 ? wasted : value;
    }
}
