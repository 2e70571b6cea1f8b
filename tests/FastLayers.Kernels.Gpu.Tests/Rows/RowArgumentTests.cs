using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Gpu.Activation;
using FastLayers.Kernels.Gpu.Elementwise;
using FastLayers.Kernels.Gpu.Gather;
using FastLayers.Kernels.Gpu.Normalize;
using FastLayers.Kernels.Gpu.Pooling;
using FastLayers.Kernels.Gpu.Rotary;
using FastLayers.Kernels.Gpu.Selection;
using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Rotary;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.Rows;

/// <summary>Launches of row kernels refuse views that are too short, and say of which operation and by how much.</summary>
public sealed class RowArgumentTests
{
    // Two rows of eight columns; every view but one has 16 elements, that one 15 or, for one value a row or column, too few as well.
    private static readonly Dictionary<string, Action<GpuLauncher, ArrayView<float>, ArrayView<int>, ArrayView<float>>> s_calls = new()
    {
        ["RmsNorm: 'x' should have 16 elements, found 15"] = (l, f, i, s) => RmsNormKernels.Launch(l, s, f, 1, f, 2, 8),
        ["RmsNorm: 'y' should have 16 elements, found 15"] = (l, f, i, s) => RmsNormKernels.Launch(l, f, default, 1, s, 2, 8),
        ["RmsNorm: 'weight' should have 16 elements, found 15"] = (l, f, i, s) => RmsNormKernels.Launch(l, f, s, 1, f, 1, 16),
        ["RmsNorm: 'residual' should have 16 elements, found 15"] = (l, f, i, s) => RmsNormKernels.LaunchResidual(l, s, f, f, 1, f, 2, 8),
        ["RmsNorm: 'rows' should be 0 or more, found -1"] = (l, f, i, s) => RmsNormKernels.Launch(l, f, f, 1, f, -1, 8),
        ["RmsNorm: expected 0 to 1073741824 columns, found -8"] = (l, f, i, s) => RmsNormKernels.Launch(l, f, f, 1, f, 2, -8),
        ["LayerNorm: 'x' should have 16 elements, found 15"] = (l, f, i, s) => LayerNormKernels.Launch(l, s, f, f, 1, f, 2, 8),
        ["LayerNorm: 'y' should have 16 elements, found 15"] = (l, f, i, s) => LayerNormKernels.Launch(l, f, f, f, 1, s, 2, 8),
        ["LayerNorm: 'weight' should have 16 elements, found 15"] = (l, f, i, s) => LayerNormKernels.Launch(l, f, s, default, 1, f, 1, 16),
        ["LayerNorm: 'bias' should have 16 elements, found 15"] = (l, f, i, s) => LayerNormKernels.Launch(l, f, f, s, 1, f, 1, 16),
        ["LayerNorm: 'residual' should have 16 elements, found 15"] = (l, f, i, s) => LayerNormKernels.LaunchResidual(l, s, f, f, f, 1, f, 2, 8),
        ["LayerNorm: a bias of 16 needs a weight, found none"] = (l, f, i, s) => LayerNormKernels.Launch(l, f, default, f, 1, f, 2, 8),
        ["L2Normalize: 'x' should have 16 elements, found 15"] = (l, f, i, s) => L2NormalizeKernels.Launch(l, s, 1, f, 2, 8),
        ["L2Normalize: 'y' should have 16 elements, found 15"] = (l, f, i, s) => L2NormalizeKernels.Launch(l, f, 1, s, 2, 8),
        ["AddNorm: 'residual' should have 16 elements, found 15"] = (l, f, i, s) => AddNormKernels.Launch(l, s, f, f, 2, 8),
        ["AddNorm: 'x' should have 16 elements, found 15"] = (l, f, i, s) => AddNormKernels.Launch(l, f, s, f, 2, 8),
        ["AddNorm: 'norms' should have 16 elements, found 15"] = (l, f, i, s) => AddNormKernels.Launch(l, f, f, s, 16, 1),
        ["RotaryEmbedding: 'heads' should have 16 elements, found 15"] = (l, f, i, s) => Rotate(l, s, default, f, f, 2, 4),
        ["RotaryEmbedding: 'cosine' should have 16 elements, found 15"] = (l, f, i, s) => Rotate(l, f, default, s, f, 8, 4),
        ["RotaryEmbedding: 'sine' should have 16 elements, found 15"] = (l, f, i, s) => Rotate(l, f, default, f, s, 8, 4),
        ["RotaryEmbedding: 'positions' should have 2 elements, found 1"] = (l, f, i, s) => Rotate(l, f, i.SubView(0, 1), f, f, 2, 4),
        ["RotaryEmbedding: without positions 2 tokens need as many table rows, found 1"] = (l, f, i, s) => Rotate(l, f, default, f, f, 1, 4),
        ["RotaryEmbedding: expected an even number of rotated dimensions from 0 to 4, found 3"] = (l, f, i, s) => Rotate(l, f, default, f, f, 2, 3),
        ["Activations.Tanh: 'x' should have 16 elements, found 15"] = (l, f, i, s) => ActivationKernels.Launch(l, ActivationKind.Tanh, s, f, 2, 8),
        ["Activations.Tanh: 'result' should have 16 elements, found 15"] = (l, f, i, s) => ActivationKernels.Launch(l, ActivationKind.Tanh, f, s, 2, 8),
        ["Activations.GatedSilu: 'x' should have 16 elements, found 15"] = (l, f, i, s) => ActivationKernels.LaunchGated(l, ActivationKind.Silu, s, f, f, 2, 8),
        ["Activations.GatedSilu: 'y' should have 16 elements, found 15"] = (l, f, i, s) => ActivationKernels.LaunchGated(l, ActivationKind.Silu, f, s, f, 2, 8),
        ["Activations.GatedSilu: 'result' should have 16 elements, found 15"] = (l, f, i, s) => ActivationKernels.LaunchGated(l, ActivationKind.Silu, f, f, s, 2, 8),
        ["Softcap: 'x' should have 16 elements, found 15"] = (l, f, i, s) => ActivationKernels.LaunchSoftcap(l, s, 30, f, 2, 8),
        ["Softmax: 'x' should have 16 elements, found 15"] = (l, f, i, s) => SoftmaxKernels.Launch(l, s, 1, f, 2, 8),
        ["Softmax: 'y' should have 16 elements, found 15"] = (l, f, i, s) => SoftmaxKernels.Launch(l, f, 1, s, 2, 8),
        ["RowArithmetic.Add: 'x' should have 16 elements, found 15"] = (l, f, i, s) => RowArithmeticKernels.Add(l, s, f, 2, 8),
        ["RowArithmetic.AddScaled: 'y' should have 16 elements, found 15"] = (l, f, i, s) => RowArithmeticKernels.AddScaled(l, 2, f, s, 2, 8),
        ["RowArithmetic.Scale: 'x' should have 16 elements, found 15"] = (l, f, i, s) => RowArithmeticKernels.Scale(l, 2, s, 2, 8),
        ["RowArithmetic.AddBias: 'bias' should have 16 elements, found 15"] = (l, f, i, s) => RowArithmeticKernels.AddBias(l, s, f, 1, 16),
        ["RowArithmetic.AddBias: 'y' should have 16 elements, found 15"] = (l, f, i, s) => RowArithmeticKernels.AddBias(l, f, s, 2, 8),
        ["ArgMax: 'x' should have 16 elements, found 15"] = (l, f, i, s) => ArgMaxKernels.Launch(l, s, i, 2, 8, default, default),
        ["ArgMax: 'y' should have 2 elements, found 1"] = (l, f, i, s) => ArgMaxKernels.Launch(l, f, i.SubView(0, 1), 2, 8, default, default),
        ["TopK: 'x' should have 16 elements, found 15"] = (l, f, i, s) => TopKKernels.Launch(l, s, i, f, 2, 8, 1, i, f),
        ["TopK: 'indices' should have 4 elements, found 3"] = (l, f, i, s) => TopKKernels.Launch(l, f, i.SubView(0, 3), f, 2, 8, 2, i, f),
        ["TopK: 'values' should have 16 elements, found 15"] = (l, f, i, s) => TopKKernels.Launch(l, f, i, s, 2, 8, 8, i, f),
        ["TopK: 'scratchIndices' should have 4 elements, found 3"] = (l, f, i, s) => TopKKernels.Launch(l, f, i, f, 2, 8, 2, i.SubView(0, 3), f),
        ["TopK: 'scratchValues' should have 16 elements, found 15"] = (l, f, i, s) => TopKKernels.Launch(l, f, i, f, 2, 8, 8, i, s),
        ["TopK: 'k' should be 0 or more, found -1"] = (l, f, i, s) => TopKKernels.Launch(l, f, i, f, 2, 8, -1, i, f),
        ["ExpertRouting: 'k' should be 0 or more, found -1"] = (l, f, i, s) => ExpertRoutingKernels.Launch(l, f, true, i, f, 2, 8, -1),
        ["RotaryEmbedding: 'tableRows' should be 0 or more, found -1"] = (l, f, i, s) => Rotate(l, f, default, f, f, -1, 4),
        ["RowMoves.Gather: 'count' should be 0 or more, found -1"] = (l, f, i, s) => RowMovesKernels.Gather(l, f, 2, i, -1, 8, f),
        ["ExpertRouting: 'logits' should have 16 elements, found 15"] = (l, f, i, s) => ExpertRoutingKernels.Launch(l, s, true, i, f, 2, 8, 2),
        ["ExpertRouting: 'chosen' should have 4 elements, found 3"] = (l, f, i, s) => ExpertRoutingKernels.Launch(l, f, true, i.SubView(0, 3), f, 2, 8, 2),
        ["ExpertRouting: 'weights' should have 16 elements, found 15"] = (l, f, i, s) => ExpertRoutingKernels.Launch(l, f, true, i, s, 2, 8, 8),
        ["ExpertRouting: expected at most 1024 experts, found 1025"] = (l, f, i, s) => ExpertRoutingKernels.Launch(l, f, true, i, f, 2, 1025, 8),
        ["RowPooling.Mean: 'x' should have 16 elements, found 15"] = (l, f, i, s) => RowPoolingKernels.Launch(l, PoolingKind.Mean, s, f, 2, 8),
        ["RowPooling.Last: 'y' should have 16 elements, found 15"] = (l, f, i, s) => RowPoolingKernels.Launch(l, PoolingKind.Last, f, s, 1, 16),
        ["RowPooling.Max: expected one or more rows, found 0"] = (l, f, i, s) => RowPoolingKernels.Launch(l, PoolingKind.Max, f, f, 0, 8),
        ["RowMoves.Gather: 'input' should have 16 elements, found 15"] = (l, f, i, s) => RowMovesKernels.Gather(l, s, 2, i, 2, 8, f),
        ["RowMoves.Gather: 'indices' should have 2 elements, found 1"] = (l, f, i, s) => RowMovesKernels.Gather(l, f, 2, i.SubView(0, 1), 2, 8, f),
        ["RowMoves.Gather: 'output' should have 16 elements, found 15"] = (l, f, i, s) => RowMovesKernels.Gather(l, f, 2, i, 2, 8, s),
        ["RowMoves.ScatterAdd: 'source' should have 16 elements, found 15"] = (l, f, i, s) => RowMovesKernels.ScatterAdd(l, s, f, i, 2, 8, f, 2),
        ["RowMoves.ScatterAdd: 'weights' should have 16 elements, found 15"] = (l, f, i, s) => RowMovesKernels.ScatterAdd(l, f, s, i, 16, 1, f, 2),
        ["RowMoves.ScatterAdd: 'indices' should have 2 elements, found 1"] = (l, f, i, s) => RowMovesKernels.ScatterAdd(l, f, f, i.SubView(0, 1), 2, 8, f, 2),
        ["RowMoves.ScatterAdd: 'target' should have 16 elements, found 15"] = (l, f, i, s) => RowMovesKernels.ScatterAdd(l, f, f, i, 2, 8, s, 2),
        ["RowMoves.FindKept: 'keep' should have 3 elements, found 2"] = (l, f, i, s) => RowMovesKernels.FindKept(l, i.SubView(0, 2), 3, i, i),
        ["RowMoves.FindKept: 'indices' should have 3 elements, found 2"] = (l, f, i, s) => RowMovesKernels.FindKept(l, i, 3, i.SubView(0, 2), i),
        ["RowMoves.Compact: 'rows' should have 16 elements, found 15"] = (l, f, i, s) => RowMovesKernels.Compact(l, s, 2, i, 1, 8),
        ["RowMoves.Compact: 'kept' should have 2 elements, found 1"] = (l, f, i, s) => RowMovesKernels.Compact(l, f, 2, i.SubView(0, 1), 2, 8),
        ["RowMoves.Compact: expected 0 to 2 indices, found 3"] = (l, f, i, s) => RowMovesKernels.Compact(l, f, 2, i, 3, 8),
    };

    public static IEnumerable<TheoryDataRow<string>> Messages => s_calls.Keys.Select(message => new TheoryDataRow<string>(message));

    [Theory]
    [MemberData(nameof(Messages))]
    public void Launch_refuses(string message)
    {
        using var device = new SimulatedDevice();
        var floats = device.Memory(new float[16]);
        var error = Assert.Throws<ArgumentException>(() => s_calls[message](device.Launcher, floats, device.Memory(new int[16]), floats.SubView(0, 15)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Undefined_kinds_are_refused()
    {
        using var device = new SimulatedDevice();
        var floats = device.Memory(new float[16]);
        Assert.Throws<ArgumentOutOfRangeException>(() => ActivationKernels.Launch(device.Launcher, (ActivationKind)99, floats, floats, 2, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowPoolingKernels.Launch(device.Launcher, (PoolingKind)99, floats, floats, 2, 8));
    }

    private static void Rotate(
        GpuLauncher launcher, ArrayView<float> heads, ArrayView<int> positions, ArrayView<float> cosine, ArrayView<float> sine, int tableRows, int rotated) =>
        RotaryKernels.Launch(launcher, heads, 2, 2, 4, positions, cosine, sine, tableRows, rotated, RotaryStyle.Halves);
}
