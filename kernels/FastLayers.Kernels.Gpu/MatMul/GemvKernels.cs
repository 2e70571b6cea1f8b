using ILGPU;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Products of a few rows of activations with a matrix, bound by reading the matrix once: a group a few outputs, its threads striding over
/// octets of the columns, and one sum over the group at the end.
/// </summary>
internal static class GemvKernels
{
    /// <summary>Threads a group: 1,024 columns at a step, so that the rows of small models still keep all of them busy.</summary>
    public const int GroupSize = 128;

    /// <summary>Outputs a group of <see cref="Row{TWeights}"/>: as many loads in flight a thread, for one load of the activations.</summary>
    public const int OutputsOfRow = 4;

    /// <summary>Outputs a group of <see cref="Rows{TWeights}"/>.</summary>
    public const int OutputsOfRows = 2;

    /// <summary>Rows a group of <see cref="Rows{TWeights}"/>, for one load and decoding of the weights.</summary>
    public const int RowsOfRows = 4;

    /// <summary>One row of activations, Grid.Y, times <see cref="OutputsOfRow"/> outputs.</summary>
    public static void Row<TWeights>(FloatProduct<TWeights> a)
        where TWeights : struct, IGpuWeights
    {
        var shared = SharedMemory.Allocate<Float4>(GroupSize);
        int first = Grid.IdxX * OutputsOfRow;

        // Missing outputs of the last group are the last one computed again and not stored.
        int second = IntrinsicMath.Min(first + 1, a.Outputs - 1);
        int third = IntrinsicMath.Min(first + 2, a.Outputs - 1);
        int fourth = IntrinsicMath.Min(first + 3, a.Outputs - 1);
        Float4 sums = default;
        for (int octet = Group.IdxX; octet * 8 < a.Columns; octet += Group.DimX)
        {
            var low = a.Activations(Grid.IdxY, 2 * octet);
            var high = a.Activations(Grid.IdxY, (2 * octet) + 1);
            sums = Quads.Add(sums, Quads.Of(
                a.Weights.Dot(first, octet, low, high),
                a.Weights.Dot(second, octet, low, high),
                a.Weights.Dot(third, octet, low, high),
                a.Weights.Dot(fourth, octet, low, high)));
        }

        sums = Quads.SumOverGroup(shared, sums);
        if (Group.IdxX != 0) return;
        a.Store(Grid.IdxY, first, sums.X);
        a.Store(Grid.IdxY, first + 1, sums.Y);
        a.Store(Grid.IdxY, first + 2, sums.Z);
        a.Store(Grid.IdxY, first + 3, sums.W);
    }

    /// <summary><see cref="RowsOfRows"/> rows of activations times <see cref="OutputsOfRows"/> outputs.</summary>
    public static void Rows<TWeights>(FloatProduct<TWeights> a)
        where TWeights : struct, IGpuWeights
    {
        var shared = SharedMemory.Allocate<Float4>(GroupSize);
        int output = Grid.IdxX * OutputsOfRows;
        int nextOutput = IntrinsicMath.Min(output + 1, a.Outputs - 1);
        int row = Grid.IdxY * RowsOfRows;
        int second = IntrinsicMath.Min(row + 1, a.Rows - 1);
        int third = IntrinsicMath.Min(row + 2, a.Rows - 1);
        int fourth = IntrinsicMath.Min(row + 3, a.Rows - 1);
        Float4 sums = default;
        Float4 nextSums = default;
        for (int quad = Group.IdxX; quad * 4 < a.Columns; quad += Group.DimX)
        {
            var weights = a.Weights.Quad(output, quad);
            var nextWeights = a.Weights.Quad(nextOutput, quad);
            var x0 = a.Activations(row, quad);
            var x1 = a.Activations(second, quad);
            var x2 = a.Activations(third, quad);
            var x3 = a.Activations(fourth, quad);
            sums = Quads.Add(sums, Quads.Of(Quads.Dot(weights, x0), Quads.Dot(weights, x1), Quads.Dot(weights, x2), Quads.Dot(weights, x3)));
            nextSums = Quads.Add(nextSums, Quads.Of(Quads.Dot(nextWeights, x0), Quads.Dot(nextWeights, x1), Quads.Dot(nextWeights, x2), Quads.Dot(nextWeights, x3)));
        }

        sums = Quads.SumOverGroup(shared, sums);
        nextSums = Quads.SumOverGroup(shared, nextSums);
        if (Group.IdxX != 0) return;
        a.Store(row, output, sums.X);
        a.Store(row + 1, output, sums.Y);
        a.Store(row + 2, output, sums.Z);
        a.Store(row + 3, output, sums.W);
        a.Store(row, output + 1, nextSums.X);
        a.Store(row + 1, output + 1, nextSums.Y);
        a.Store(row + 2, output + 1, nextSums.Z);
        a.Store(row + 3, output + 1, nextSums.W);
    }
}
