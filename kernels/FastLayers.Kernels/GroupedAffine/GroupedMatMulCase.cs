using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.GroupedAffine;

/// <summary>Catalog entries of <see cref="GroupedMatMulSimd"/>.</summary>
public static unsafe class GroupedMatMulCase
{
    /// <summary>One entry a number of bits, and one whose columns are in another order than the activations.</summary>
    public static IReadOnlyList<KernelOperation> All { get; } =
    [
        Create("GroupedMatMul.int2", 2, false),
        Create("GroupedMatMul.int3", 3, false),
        Create("GroupedMatMul.int4", 4, false),
        Create("GroupedMatMul.int8", 8, false),
        Create("GroupedMatMul.int4.reordered", 4, true),
    ];

    /// <summary>The matrix of a shape.</summary>
    /// <param name="shape">A shape of an entry.</param>
    /// <param name="bits">Bits a code.</param>
    public static GroupedAffineLayout LayoutOf(KernelShape shape, int bits)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return new(bits, shape["outputs"], shape["columns"], shape["group"]);
    }

    private static KernelOperation Create(string name, int bits, bool reordered) => new()
    {
        Name = name,
        Definition = $"y[m, n] = bias[n] + Σ_k x[m, {(reordered ? "order[k]" : "k")}] · scale[n, k / g] · (code[n, k] - zero[n, k / g])",

        // Decode and prefill, odd numbers of rows and outputs, nothing, a group of the whole row, a short last group, tiles with tails, a model's width.
        Shapes = [Of(1, 5, 32, 32), Of(3, 4, 96, 32), Of(7, 1, 256, 256), Of(0, 3, 64, 32), Of(2, 7, 96, 64), Of(11, 18, 160, 40), Of(1, 33, 2048, 128)],
        Tolerance = 1e-11,
        ToleranceReason = "Float sums of the columns in 4 to 16 parts; a code and its zero may be 50 times as large as their difference.",
        BytesMoved = shape => (LayoutOf(shape, bits).WordCount * 4L) + (LayoutOf(shape, bits).GroupCount * 8L) + (4L * shape["rows"] * (shape["columns"] + shape["outputs"])),
        OperationCount = shape => 2L * shape["rows"] * shape["outputs"] * shape["columns"],
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            var layout = LayoutOf(shape, bits);
            foreach (ref int word in arguments.Add<int>("codes", KernelBufferRole.Input, layout.WordCount)) word = (int)arguments.Next();
            arguments.AddUniform("scales", layout.GroupCount, 0.01f, 0.03f);
            arguments.AddUniform("zeros", layout.GroupCount, 0, (1 << bits) - 1);
            if (reordered)
            {
                var order = arguments.Add<int>("order", KernelBufferRole.Input, layout.Columns);
                for (int i = 0; i < order.Length; i++)
                {
                    int other = (int)(arguments.Next() % (ulong)(i + 1));
                    order[i] = order[other];
                    order[other] = i;
                }
            }

            arguments.AddNoise("bias", layout.Outputs);
            arguments.AddNoise("x", shape["rows"] * layout.Columns);
            arguments.Add<float>("y", KernelBufferRole.Output, shape["rows"] * layout.Outputs);
        },
        Reference = arguments =>
        {
            var y = arguments.Floats("y");
            var sums = new double[y.Length];
            GroupedMatMulReference.Multiply(
                LayoutOf(arguments.Shape, bits), arguments.Ints("codes"), arguments.Floats("scales"), arguments.Floats("zeros"), reordered ? arguments.Ints("order") : [], arguments.Floats("bias"), arguments.Floats("x"), sums);
            for (int i = 0; i < sums.Length; i++) y[i] = (float)sums[i];
        },
        Simd = (level, arguments) => GroupedMatMulSimd.Multiply(
            CallingThread.Pool,
            new GroupedMatMulArguments
            {
                Layout = LayoutOf(arguments.Shape, bits),
                Codes = (int*)arguments["codes"].Pointer,
                Scales = (float*)arguments["scales"].Pointer,
                Zeros = (float*)arguments["zeros"].Pointer,
                Order = reordered ? (int*)arguments["order"].Pointer : null,
                Bias = (float*)arguments["bias"].Pointer,
                Input = (float*)arguments["x"].Pointer,
                Output = (float*)arguments["y"].Pointer,
                Rows = arguments.Shape["rows"],
            },
            level),
    };

    private static KernelShape Of(int rows, int outputs, int columns, int group) => new(("rows", rows), ("outputs", outputs), ("columns", columns), ("group", group));
}
