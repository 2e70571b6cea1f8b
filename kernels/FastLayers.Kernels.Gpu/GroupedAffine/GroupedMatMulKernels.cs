using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.MatMul;
using FastLayers.Kernels.GroupedAffine;
using ILGPU;

namespace FastLayers.Kernels.Gpu.GroupedAffine;

/// <summary>
/// Products of float activations with the transpose of a grouped affine matrix: see <see cref="GroupedMatMulSimd"/>. Activations in another order
/// than the columns are put in the order of the columns first.
/// </summary>
internal static class GroupedMatMulKernels
{
    private static readonly FloatProductKernels<GroupedWeights<GpuCodes2>> s_int2 = new("GroupedMatMul.int2");
    private static readonly FloatProductKernels<GroupedWeights<GpuCodes3>> s_int3 = new("GroupedMatMul.int3");
    private static readonly FloatProductKernels<GroupedWeights<GpuCodes4>> s_int4 = new("GroupedMatMul.int4");
    private static readonly FloatProductKernels<GroupedWeights<GpuCodes8>> s_int8 = new("GroupedMatMul.int8");
    private static readonly GpuKernel<ReorderArguments> s_reorder = new("GroupedMatMul.Reorder", Reorder);

    public static IReadOnlyList<GpuKernel> All { get; } = [.. s_int2.All, .. s_int3.All, .. s_int4.All, .. s_int8.All, s_reorder];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        Operation("GroupedMatMul.int2", 2, false),
        Operation("GroupedMatMul.int3", 3, false),
        Operation("GroupedMatMul.int4", 4, false),
        Operation("GroupedMatMul.int8", 8, false),
        Operation("GroupedMatMul.int4.reordered", 4, true),
    ];

    /// <summary>Multiplies: <c>y[m, n] = bias[n] + Σ_k x[m, order[k]] · scale[n, k / g] · (code[n, k] - zero[n, k / g])</c>.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="weight">The matrix.</param>
    /// <param name="order">For each column the activation that it is multiplied with, or empty.</param>
    /// <param name="scratch">With an order room for the activations, at a multiple of 16 bytes; else empty.</param>
    /// <param name="bias">One value an output, or empty.</param>
    /// <param name="x">Activations [<paramref name="rows"/>, columns], at a multiple of 16 bytes.</param>
    /// <param name="y">Receives [<paramref name="rows"/>, outputs]; must not overlap the operands.</param>
    /// <param name="rows">Rows of activations.</param>
    /// <exception cref="ArgumentException">An operand has another size than the layout says.</exception>
    public static void Launch(
        GpuLauncher launcher, GpuGroupedMatrix weight, ArrayView<int> order, ArrayView<float> scratch, ArrayView<float> bias, ArrayView<float> x, ArrayView<float> y, int rows)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        var layout = weight.Layout;
        ProductArguments.RequireLength("the words of codes", layout.WordCount, weight.Words.Length);
        ProductArguments.RequireLength("the scales", layout.GroupCount, weight.Scales.Length);
        ProductArguments.RequireLength("the zeros", layout.GroupCount, weight.Zeros.Length);
        ProductArguments.RequireLength("activations", (long)rows * layout.Columns, x.Length);
        ProductArguments.RequireOutput(bias, y, rows, layout.Outputs);
        if (order.Length != 0)
        {
            ProductArguments.RequireLength("the order", layout.Columns, order.Length);
            ProductArguments.RequireLength("the room for activations in order", x.Length, scratch.Length);
            launcher.LaunchThreads(s_reorder, x.Length, new ReorderArguments { X = x, Order = order, Y = scratch, Columns = layout.Columns });
            x = scratch;
        }

        switch (layout.Bits)
        {
            case 2: s_int2.Launch(launcher, weight.As<GpuCodes2>(), bias, x, y, rows, layout.Outputs, layout.Columns); break;
            case 3: s_int3.Launch(launcher, weight.As<GpuCodes3>(), bias, x, y, rows, layout.Outputs, layout.Columns); break;
            case 4: s_int4.Launch(launcher, weight.As<GpuCodes4>(), bias, x, y, rows, layout.Outputs, layout.Columns); break;
            default: s_int8.Launch(launcher, weight.As<GpuCodes8>(), bias, x, y, rows, layout.Outputs, layout.Columns); break;
        }
    }

    /// <summary>y[m, k] = x[m, order[k]], one value a thread.</summary>
    internal static void Reorder(ReorderArguments a)
    {
        long i = ((long)Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= a.Y.Length) return;
        long row = i / a.Columns;
        int column = (int)(i - (row * a.Columns));
        a.Y[i] = a.X[(row * a.Columns) + a.Order[column]];
    }

    private static GpuOperation Operation(string name, int bits, bool reordered) => new(name, (launcher, b) => Launch(
        launcher,
        new GpuGroupedMatrix(GroupedMatMulCase.LayoutOf(b.Shape, bits), b.Ints("codes"), b.Floats("scales"), b.Floats("zeros")),
        reordered ? b.Ints("order") : default,
        reordered ? b.Scratch<float>((int)b.Floats("x").Length) : default,
        b.Floats("bias"),
        b.Floats("x"),
        b.Floats("y"),
        b.Shape["rows"]));

    internal struct ReorderArguments
    {
        public ArrayView<float> X;
        public ArrayView<float> Y;
        public ArrayView<int> Order;
        public int Columns;
    }
}
