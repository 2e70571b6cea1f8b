using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.Gpu.GroupedAffine;
using FastLayers.Kernels.Gpu.MatMul;
using FastLayers.Kernels.GroupedAffine;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FastLayers.Kernels.Gpu.Tests.MatMul;

/// <summary>Operands of the wrong size are refused before anything is started.</summary>
public sealed class MatMulLaunchTests : IDisposable
{
    private readonly SimulatedDevice _device = new();
    private readonly GpuLauncher _launcher;
    private readonly ArrayView<byte> _memory;

    public MatMulLaunchTests()
    {
        _launcher = _device.Launcher;
        _memory = _device.Memory(new byte[4096]);
    }

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(1, 3, 32, 3, 32, 3, null)]
    [InlineData(0, 3, 32, 0, 0, 0, null)]
    [InlineData(1, 4, 32, 0, 32, 4, "4 rows of 32 columns, found 3")]
    [InlineData(1, 3, 64, 0, 64, 3, "3 rows of 64 columns, found 3 of 32")]
    [InlineData(1, 3, 32, 2, 32, 3, "bias should have 3 values, found 2")]
    [InlineData(2, 3, 32, 3, 63, 6, "activations should have 64 values, found 63")]
    [InlineData(2, 3, 32, 3, 64, 5, "output should have 6 values, found 5")]
    public void Float_product(int rows, int outputs, int columns, int bias, int x, int y, string? message)
    {
        var layout = GpuMatrixLayout.Of(Format.Q4_0, 3, 32);
        Check(message, () => MatMulKernels.Launch(_launcher, Format.Q4_0, layout.On(_memory.SubView(0, layout.ByteLength)), Floats(bias), Floats(x), Floats(y), rows, outputs, columns));
    }

    [Theory]
    [InlineData(2, 2, 32, 6, null)]
    [InlineData(2, 3, 32, 6, "rounded activations should have 16 values, found 24")]
    [InlineData(2, 2, 32, 7, "output should have 6 values, found 7")]
    public void Product_with_8_bit_activations(int rows, int roundedRows, int columns, int y, string? message)
    {
        var layout = GpuMatrixLayout.Of(Format.Q4_0, 3, 32);
        var rounded = GpuQuantizedActivations.On(_memory.SubView(0, Kernels.MatMul.QuantizedActivations.Bytes(roundedRows, columns)), roundedRows, columns);
        Check(message, () => Int8MatMulKernels.Launch(_launcher, Format.Q4_0, layout.On(_memory.SubView(0, layout.ByteLength)), default, rounded, Floats(y), rows, 3, columns));
    }

    [Fact]
    public void Rounded_activations_check_their_memory()
    {
        Assert.Throws<ArgumentException>(() => GpuQuantizedActivations.On(_memory.SubView(0, 48), 1, 33));
        Assert.Throws<ArgumentException>(() => GpuQuantizedActivations.On(_memory.SubView(0, 47), 1, 32));
        Assert.Throws<NotSupportedException>(() => Int8MatMulKernels.Launch(_launcher, Format.F32, default, default, default, default, 0, 0, 0));
    }

    [Fact]
    public void Products_with_8_bit_activations_need_a_device_that_multiplies_bytes()
    {
        Assert.True(Int8MatMulKernels.Supports(_launcher, Format.Q4_0));
        Assert.False(Int8MatMulKernels.Supports(_launcher, Format.F16));
        Assert.True(Int8MatMulKernels.HasByteProducts(null));
        Assert.True(Int8MatMulKernels.HasByteProducts(CudaArchitecture.SM_61));
        Assert.False(Int8MatMulKernels.HasByteProducts(CudaArchitecture.SM_60));
    }

    [Theory]
    [InlineData(12, 3, 0, 0, 32, null)]
    [InlineData(12, 3, 32, 32, 32, null)]
    [InlineData(11, 3, 0, 0, 32, "words of codes should have 12 values, found 11")]
    [InlineData(12, 4, 0, 0, 32, "scales should have 3 values, found 4")]
    [InlineData(12, 3, 31, 32, 32, "order should have 32 values, found 31")]
    [InlineData(12, 3, 32, 31, 32, "in order should have 32 values, found 31")]
    [InlineData(12, 3, 0, 0, 33, "activations should have 32 values, found 33")]
    public void Grouped_product(int words, int groups, int order, int scratch, int x, string? message)
    {
        var matrix = new GpuGroupedMatrix(new GroupedAffineLayout(4, 3, 32, 32), Ints(words), Floats(groups), Floats(3));
        Check(message, () => GroupedMatMulKernels.Launch(_launcher, matrix, Ints(order), Floats(scratch), default, Floats(x), Floats(3), 1));
    }

    private void Check(string? message, Action launch)
    {
        if (message is not null)
        {
            Assert.Contains(message, Assert.Throws<ArgumentException>(launch).Message, StringComparison.Ordinal);
            return;
        }

        launch();
        _launcher.Synchronize();
    }

    private ArrayView<float> Floats(int length) => _memory.SubView(1024, 4 * length).Cast<float>();

    private ArrayView<int> Ints(int length) => _memory.SubView(2048, 4 * length).Cast<int>();
}
