using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Dequantize;
using FastLayers.Kernels.Gpu.Embedding;
using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.Gpu.Quantize;

namespace FastLayers.Kernels.Gpu.Tests.Formats;

/// <summary>What launches of the kernels that read and write formats refuse: a message with both sizes, before anything runs.</summary>
public sealed class FormatLaunchTests : IDisposable
{
    // A matrix that is never read; only its sizes count.
    private static readonly GpuMatrix s_matrix = new() { Rows = 2, Columns = 64 };

    private readonly SimulatedDevice _device = new(multiprocessors: 2);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void Dequantize_refuses_another_length_and_another_target()
    {
        Refused("take 512 bytes, found 0", () => DequantizeKernels.Launch(_device.Launcher, Format.Q4_0, s_matrix, Format.F32, default));
        Refused("q4_0 is no float format", () => DequantizeKernels.Launch(_device.Launcher, Format.Q4_0, default, Format.Q4_0, default));
    }

    [Fact]
    public void Embedding_lookup_refuses_another_length()
    {
        using var y = _device.Accelerator.Allocate1D<float>(3);
        Refused("give 0 values, found room for 3", () => EmbeddingLookupKernels.Launch(_device.Launcher, Format.Q4_0, s_matrix, default, 1, y.View.BaseView));
    }

    [Fact]
    public void Encode_refuses_another_length_and_formats_that_search()
    {
        Refused("need 128 values, found 0", () => EncodeKernels.Launch(_device.Launcher, default, Format.Q4_0, s_matrix));
        Assert.Contains("q4_k", Assert.Throws<NotSupportedException>(() => EncodeKernels.Launch(_device.Launcher, default, Format.Q4_K, s_matrix)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_order_refuses_another_length() =>
        Refused("take 72 bytes, found 0", () => FileOrderKernels.Launch(_device.Launcher, GpuMatrixLayout.Of(Format.Q4_0, 2, 64), s_matrix, default));

    [Fact]
    public void Quantize_activations_refuses_parts_of_blocks_and_other_lengths()
    {
        Refused("31 columns do not divide", () => QuantizeActivationsKernels.Launch(_device.Launcher, default, default, 1, 31));
        Refused("are 64 values, found 0", () => QuantizeActivationsKernels.Launch(_device.Launcher, default, default, 1, 64));
        using var x = _device.Accelerator.Allocate1D<float>(64);
        Refused("take 96 bytes, found 0", () => QuantizeActivationsKernels.Launch(_device.Launcher, x.View.BaseView, default, 1, 64));
    }

    private static void Refused(string message, Action launch) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(launch).Message, StringComparison.Ordinal);
}
