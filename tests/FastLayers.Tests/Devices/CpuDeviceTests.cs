using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Pooling;

namespace FastLayers.Tests.Devices;

/// <summary>The operations of the device are open to everyone: what they are given is checked before memory is touched.</summary>
public sealed class CpuDeviceTests : IDisposable
{
    private readonly CpuDevice _device = new(2);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void Places_outside_a_tensor_are_refused()
    {
        using var tensor = _device.Allocate(Format.F32, 4, 8);
        using var other = _device.Allocate(Format.F32, 4, 8);

        Assert.Throws<ArgumentOutOfRangeException>(() => _device.Read(tensor, -1, new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => _device.Write(tensor, -1, new float[2]));
        Assert.Throws<ArgumentException>(() => _device.Read(tensor, 31, new float[2]));
        Assert.Throws<ArgumentException>(() => _device.Read(tensor, long.MaxValue, new float[2]));
        Assert.Throws<ArgumentException>(() => _device.Write(tensor, 31, new float[2]));
        Assert.ThrowsAny<ArgumentException>(() => _device.Copy(tensor, -1, other, 0, 1));
        Assert.ThrowsAny<ArgumentException>(() => _device.Copy(tensor, 0, other, -1, 1));
        Assert.ThrowsAny<ArgumentException>(() => _device.Copy(tensor, 0, other, 0, -1));
        Assert.ThrowsAny<ArgumentException>(() => _device.Copy(tensor, long.MaxValue, other, 0, 1));
        Assert.ThrowsAny<ArgumentException>(() => tensor.SliceRows(long.MaxValue, 1));
        Assert.ThrowsAny<ArgumentException>(() => tensor.SliceRows(3, 2));
        Assert.ThrowsAny<ArgumentException>(() => tensor.Reshape(-4, -8));
    }

    [Fact]
    public void A_rotary_table_of_unequal_halves_is_refused()
    {
        using var cosines = _device.Allocate(Format.F32, 16, 4);
        using var fewer = _device.Allocate(Format.F32, 15, 4);
        using var narrower = _device.Allocate(Format.F32, 16, 2);
        Assert.Throws<ArgumentException>(() => new RotaryTable(cosines, fewer, halves: true));
        Assert.Throws<ArgumentException>(() => new RotaryTable(cosines, narrower, halves: true));
    }

    [Fact]
    public void A_tensor_of_a_disposed_device_memory_says_so()
    {
        var tensor = _device.Allocate(Format.F32, 4, 8);
        var view = tensor.SliceRows(1, 2);
        tensor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _device.Read(tensor, 0, new float[2]));
        Assert.Throws<ObjectDisposedException>(() => _device.Read(view, 0, new float[2]));
    }

    [Fact]
    public void Memory_starts_as_zeros_on_a_cache_line()
    {
        for (int round = 0; round < 3; round++)
        {
            using var tensor = _device.Allocate(Format.F32, 300, 1000);
            var values = new float[300_000];
            _device.Read(tensor, 0, values);
            Assert.DoesNotContain(values, value => value != 0);
            Array.Fill(values, 1);
            _device.Write(tensor, 0, values);
        }
    }

    [Fact]
    public void More_values_than_an_integer_counts_are_pooled()
    {
        // Zeros that nobody touches take no memory: of 8.6 GB only the last row does.
        const int columns = 1 << 20, rows = 2049;
        using var input = _device.Allocate(Format.F32, rows, columns);
        using Tensor output = _device.Allocate(Format.F32, 1, columns), norms = _device.Allocate(Format.F32, 1, 1);
        _device.Write(input, ((long)rows * columns) - 1, [3]);
        _device.Pool(PoolingKind.Last, input, output, rows, columns);
        Assert.Equal(3, Last(output));
        _device.Clear(output, 1, columns);
        _device.Pool(PoolingKind.Last, input, [rows], rows, output, columns);
        Assert.Equal(3, Last(output));
        _device.RowNorms(input.SliceRows(rows - 1, 1), norms, 1, columns);
        Assert.Equal(3, Last(norms));
    }

    /// <summary>Run by name only: it writes 8.6 GB.</summary>
    [Fact(Explicit = true)]
    public void More_values_than_an_integer_counts_are_cleared_and_embedded()
    {
        const int columns = 1 << 20, rows = 2049;
        using var target = _device.Allocate(Format.F32, rows, columns);
        using var table = _device.Allocate(Format.F32, 2, columns);
        _device.Write(table, (2L * columns) - 1, [3]);
        _device.Embed(table, [.. Enumerable.Repeat(1, rows)], 2, target);
        Assert.Equal(6, Last(target));
        _device.Clear(target, rows, columns);
        Assert.Equal(0, Last(target));
    }

    private static float Last(Tensor tensor)
    {
        float[] value = new float[1];
        tensor.Device.Read(tensor, tensor.Count - 1, value);
        return value[0];
    }

    [Fact]
    public void The_shared_device_outlives_a_using()
    {
        using (Device.Cpu)
        {
            // What every program would write for a device of its own.
        }

        using var model = TestModels.Load("tiny64-f32");
        Assert.Equal(320, model.Logits([1]).Length);
    }
}
