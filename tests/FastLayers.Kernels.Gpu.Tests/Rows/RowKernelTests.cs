using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Gpu.Activation;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Elementwise;
using FastLayers.Kernels.Gpu.Gather;
using FastLayers.Kernels.Gpu.Normalize;
using FastLayers.Kernels.Gpu.Rotary;
using FastLayers.Kernels.Gpu.Selection;
using FastLayers.Kernels.Rotary;

namespace FastLayers.Kernels.Gpu.Tests.Rows;

/// <summary>What the catalog does not try: other group sizes, views that are too long or unaligned, special values, indices from a list.</summary>
public sealed class RowKernelTests
{
    private static readonly string[] s_operations =
    [
        "RmsNorm.Residual", "LayerNorm.Residual", "L2Normalize", "AddNorm", "RotaryEmbedding.Adjacent", "RotaryEmbedding.Halves", "Activations.Silu",
        "Activations.GatedGeluErf", "Softmax", "RowArithmetic.AddBias", "ArgMax", "TopK", "ExpertRouting.Renormalized", "ExpertRouting.Shares",
        "RowPooling.Mean", "RowPooling.Max", "RowMoves.Gather", "RowMoves.ScatterAdd", "RowMoves.FindKept", "RowMoves.Compact",
    ];

    public static IEnumerable<TheoryDataRow<string, int>> OperationsAndGroupSizes =>
        from operation in s_operations
        from size in new[] { 2, 8 }
        select new TheoryDataRow<string, int>(operation, size);

    [Theory]
    [MemberData(nameof(OperationsAndGroupSizes))]
    public void Group_may_have_any_size(string name, int groupSize)
    {
        using var device = new SimulatedDevice(groupSize);
        Assert.Equal(groupSize, device.Launcher.GroupSize(256));
        var operation = KernelCatalog.Find(name);
        var runner = new GpuKernelRunner(device.Launcher, "emulated");
        foreach (var shape in operation.Shapes.Take(7)) Assert.Null(KernelCheck.Run(runner, operation, shape, 3).Failure);
    }

    [Fact]
    public void Longer_views_are_touched_only_in_front()
    {
        using var device = new SimulatedDevice();
        var launcher = device.Launcher;
        float[] values = [.. Enumerable.Range(1, 16).Select(i => (float)i)];
        var x = device.Memory(values);
        foreach (var launch in new Action<ILGPU.ArrayView<float>>[]
        {
            y => RmsNormKernels.Launch(launcher, x, x, 1, y, 2, 5),
            y => LayerNormKernels.Launch(launcher, x, x, x, 1, y, 2, 5),
            y => L2NormalizeKernels.Launch(launcher, x, 1, y, 2, 5),
            y => AddNormKernels.Launch(launcher, x, y, device.Memory(new float[2]), 2, 5),
            y => ActivationKernels.Launch(launcher, ActivationKind.Relu, x, y, 2, 5),
            y => ActivationKernels.LaunchGated(launcher, ActivationKind.Silu, x, x, y, 2, 5),
            y => SoftmaxKernels.Launch(launcher, x, 1, y, 2, 5),
            y => RowArithmeticKernels.Add(launcher, x, y, 2, 5),
            y => RowArithmeticKernels.Scale(launcher, 2, y, 2, 5),
            y => RowArithmeticKernels.AddBias(launcher, x, y, 2, 5),
            y => RowMovesKernels.Gather(launcher, x, 2, device.Memory(1, 0, 1), 2, 5, y),
            y => RowMovesKernels.ScatterAdd(launcher, x, default, device.Memory(1, 0, 1), 2, 5, y, 2),
        })
        {
            var y = device.Memory([.. values.Select(value => -value)]);
            launch(y);
            float[] result = device.Read(y);
            Assert.NotEqual(-values[9], result[9]);
            Assert.Equal(values[10..], result[10..].Select(value => -value));
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(4, 4)]
    [InlineData(3, 8)]
    public void Elementwise_views_may_start_anywhere(int xStart, int yStart)
    {
        using var device = new SimulatedDevice();
        float[] x = [.. Enumerable.Range(0, 32).Select(i => (float)i)], y = [.. x.Select(value => 100 * value)];
        var result = device.Memory(y);
        RowArithmeticKernels.Add(device.Launcher, device.Memory(x).SubView(xStart, 19), result.SubView(yStart, 19), 1, 19);
        for (int i = 0; i < 19; i++) y[yStart + i] += x[xStart + i];
        Assert.Equal(y, device.Read(result));
    }

    [Theory]
    [InlineData(ActivationKind.Silu)]
    [InlineData(ActivationKind.GeluErf)]
    [InlineData(ActivationKind.GeluTanh)]
    [InlineData(ActivationKind.Relu)]
    [InlineData(ActivationKind.ReluSquared)]
    [InlineData(ActivationKind.Tanh)]
    public void Activations_hold_at_their_limits(ActivationKind kind)
    {
        using var device = new SimulatedDevice();
        float[] x =
        [
            float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, -0f, 1e-30f, -1e-30f, 1e-6f, -1e-6f, 1e-3f, -1e-3f, 0.1f, -0.1f, 0.599f, 0.601f, -0.6f,
            3, -3, 5.5f, -5.5f, 12, -12, 88, -88, 1e4f, -1e4f,
        ];
        var y = device.Memory(new float[x.Length]);
        ActivationKernels.Launch(device.Launcher, kind, device.Memory(x), y, 1, x.Length);
        float[] result = device.Read(y);
        for (int i = 0; i < x.Length; i++)
        {
            double expected = ActivationReference.Value(kind, x[i]);
            if (!double.IsFinite(expected)) Assert.Equal((float)expected, result[i]);
            else Assert.True(Math.Abs(result[i] - expected) <= (3e-6 * Math.Abs(expected)) + 1e-36, $"{kind}({x[i]}) should be {expected}, found {result[i]}");
        }
    }

    [Fact]
    public void Softmax_of_what_has_none_is_NaN()
    {
        using var device = new SimulatedDevice();
        const float inf = float.PositiveInfinity;
        var y = device.Memory(new float[12]);
        SoftmaxKernels.Launch(device.Launcher, device.Memory(1f, 2, float.NaN, 1, inf, 2, -inf, -inf, -inf, -inf, 3, 3), 1, y, 4, 3);
        float[] result = device.Read(y);
        Assert.All(result[..9], value => Assert.True(float.IsNaN(value)));
        Assert.Equal([0, 0.5f, 0.5f], result[9..]);
    }

    [Fact]
    public void Norms_of_infinite_rows_are_infinite()
    {
        using var device = new SimulatedDevice();
        var norms = device.Memory(new float[3]);
        var x = device.Memory(1, float.PositiveInfinity, 2, 1, 1e30f, 2, 1, float.NaN, 2);
        AddNormKernels.Launch(device.Launcher, device.Memory(new float[9]), x, norms, 3, 3);
        Assert.Equal([float.PositiveInfinity, float.PositiveInfinity, float.NaN], device.Read(norms));
    }

    [Theory]
    [InlineData(0.1f)]
    [InlineData(0.333f)]
    [InlineData(1234.567f)]
    public void Norm_of_equal_values_is_within_a_millionth(float value)
    {
        // The worst case of a plain sum: all of its roundings go the same way.
        const int length = 16_384;
        using var device = new SimulatedDevice(2);
        var norm = device.Memory(0f);
        AddNormKernels.Launch(device.Launcher, device.Memory(new float[length]), device.Memory([.. Enumerable.Repeat(value, length)]), norm, 1, length);
        double expected = Math.Sqrt(length) * value;
        Assert.Equal(expected, device.Read(norm)[0], 1e-6 * expected);
    }

    [Fact]
    public void Rotation_takes_the_table_row_of_the_position()
    {
        using var device = new SimulatedDevice();
        const int tableRows = 9, pairs = 3, headLength = 8, heads = 2;
        float[] cosine = new float[tableRows * pairs], sine = new float[tableRows * pairs];
        var frequencies = RotaryFrequencies.Create(2 * pairs, 10_000);
        for (int i = 0; i < tableRows; i++) frequencies.Fill(i * 11, cosine.AsSpan(i * pairs, pairs), sine.AsSpan(i * pairs, pairs));
        float[] rows = [.. Enumerable.Range(0, 4 * heads * headLength).Select(i => MathF.Sin(i))];
        int[] positions = [8, 0, 9, 5];
        var memory = device.Memory(rows);
        RotaryKernels.Launch(
            device.Launcher, memory, 4, heads, headLength, device.Memory(positions), device.Memory(cosine), device.Memory(sine), tableRows, 2 * pairs, RotaryStyle.Halves);

        float[] result = device.Read(memory);
        for (int token = 0; token < 4; token++)
        {
            var row = rows.AsSpan(token * heads * headLength, heads * headLength);
            if (positions[token] < tableRows)
            {
                int start = positions[token] * pairs;
                for (int head = 0; head < heads; head++)
                    RotaryReference.Head(row.Slice(head * headLength, headLength), cosine.AsSpan(start, pairs), sine.AsSpan(start, pairs), 2 * pairs, RotaryStyle.Halves);
            }
            else
            {
                for (int i = 0; i < row.Length; i++) row[i] = i % headLength < 2 * pairs ? float.NaN : row[i];
            }
        }

        Assert.Equal(0, KernelCheck.Error(result, rows), 1e-13);
    }

    [Fact]
    public void Largest_values_of_unusual_rows_are_found()
    {
        const float nan = float.NaN, inf = float.PositiveInfinity;
        using var device = new SimulatedDevice();
        AssertLargest(device, [0, -0f, 0, -0f], [0, 1, 2], [0f, -0f, 0f]);
        AssertLargest(device, [nan, inf, nan, -inf], [1, 3, -1, -1], [inf, -inf, -inf, -inf]);
        AssertLargest(device, [nan, nan, nan], [-1, -1], [-inf, -inf]);
        AssertLargest(device, [-1e-45f, -1e-45f, 1e-45f], [2, 0, 1], [1e-45f, -1e-45f, -1e-45f]);
        AssertLargest(device, [], [-1], [-inf]);

        // Divided among groups, with the k-th value in all of them.
        float[] ones = [.. Enumerable.Repeat(1f, 20_000)];
        ones[19_999] = 2;
        AssertLargest(device, ones, [19_999, 0, 1], [2f, 1f, 1f]);
    }

    [Fact]
    public void Position_of_the_largest_of_a_long_row_is_the_first()
    {
        using var device = new SimulatedDevice();
        float[] x = [.. Enumerable.Repeat(float.NaN, 20_000), .. Enumerable.Repeat(float.NegativeInfinity, 20_000), .. Enumerable.Repeat(float.NaN, 20_000)];
        int scratch = ArgMaxKernels.ScratchLength(3, 20_000);
        var y = device.Memory(new int[3]);
        x[59_990] = x[59_980] = 7;
        ArgMaxKernels.Launch(device.Launcher, device.Memory(x), y, 3, 20_000, device.Memory(new float[scratch]), device.Memory(new int[scratch]));
        Assert.Equal([-1, 0, 19_980], device.Read(y));
    }

    [Fact]
    public void Rows_that_do_not_exist_are_NaN()
    {
        using var device = new SimulatedDevice();
        var output = device.Memory(new float[6]);
        RowMovesKernels.Gather(device.Launcher, device.Memory(1f, 2, 3, 4), 2, device.Memory(2, 1, -1), 3, 2, output);
        Assert.Equal([float.NaN, float.NaN, 3, 4, float.NaN, float.NaN], device.Read(output));
    }

    private static void AssertLargest(SimulatedDevice device, float[] x, int[] expectedIndices, float[] expectedValues)
    {
        int k = expectedIndices.Length, scratch = TopKKernels.ScratchLength(1, x.Length, k);
        var indices = device.Memory(new int[k]);
        var values = device.Memory(new float[k]);
        TopKKernels.Launch(device.Launcher, device.Memory(x), indices, values, 1, x.Length, k, device.Memory(new int[scratch]), device.Memory(new float[scratch]));
        Assert.Equal(expectedIndices, device.Read(indices));
        Assert.Equal(expectedValues, device.Read(values));
    }
}
