using FastLayers.Kernels.Emit;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.MatMul;

namespace FastLayers.Tests.Devices;

public sealed unsafe class PrepareWeightTests
{
    private const int Outputs = 21;
    private const int Columns = 256;

    [Theory]
    [InlineData("q4_0")]
    [InlineData("q6_k")]
    [InlineData("bf16")]
    public void A_prepared_weight_gives_the_same_product(string name)
    {
        Assert.SkipUnless(InterleavedLayout.IsSupported, "This processor has no AVX2, which the layout of prepared weights is made for.");
        Assert.True(Format.TryParse(name, out var format));
        using var device = new CpuDevice(2);
        byte[] bytes = Encoded(format);
        fixed (byte* pointer = bytes)
        {
            using var weight = device.FromMapped(format, Outputs, Columns, pointer);
            using var prepared = device.PrepareWeight(weight, ActivationPrecision.Int8);
            Assert.True(prepared.IsPrepared);
            Assert.False(weight.IsPrepared);
            foreach (int rows in (int[])[1, 7, 70])
            {
                float[] expected = Product(device, weight, rows);
                float[] found = Product(device, prepared, rows);
                double error = 0, total = 0;
                for (int i = 0; i < found.Length; i++) (error, total) = (error + Math.Pow(found[i] - expected[i], 2), total + Math.Pow(expected[i], 2));
                Assert.InRange(error / total, 0, 1e-11);
            }
        }
    }

    [Theory]
    [InlineData(KernelCode.Compiled)]
    [InlineData(KernelCode.Emitted)]
    public void A_device_multiplies_with_the_code_that_it_was_told(KernelCode code)
    {
        Assert.SkipUnless(InterleavedLayout.IsSupported, "This processor has no AVX2, which the layout of prepared weights is made for.");
        using var automatic = new CpuDevice(1);
        using var device = new CpuDevice(1, code);
        byte[] bytes = Encoded(Format.Q4_K);
        fixed (byte* pointer = bytes)
        {
            using var weight = device.FromMapped(Format.Q4_K, Outputs, Columns, pointer);
            using var prepared = device.PrepareWeight(weight, ActivationPrecision.Int8);
            using var other = automatic.FromMapped(Format.Q4_K, Outputs, Columns, pointer);
            float[] expected = Product(automatic, other, 5);
            float[] found = Product(device, prepared, 5);
            for (int i = 0; i < found.Length; i++) Assert.Equal(expected[i], found[i], 1e-4f);
        }
    }

    [Fact]
    public void What_is_best_as_it_is_stays()
    {
        using var device = new CpuDevice(1);
        using var table = device.Allocate(Format.Q8_K, 4, 256);
        Assert.Same(table, device.PrepareWeight(table, ActivationPrecision.Int8));
        using var exact = device.Allocate(Format.Q4_0, 4, 256);
        Assert.Same(exact, device.PrepareWeight(exact, ActivationPrecision.Float32));
        using var empty = device.Allocate(Format.Q4_0, 0, 256);
        Assert.Same(empty, device.PrepareWeight(empty, ActivationPrecision.Int8));
    }

    [Fact]
    public void A_prepared_weight_serves_for_nothing_else()
    {
        Assert.SkipUnless(InterleavedLayout.IsSupported, "This processor has no AVX2, which the layout of prepared weights is made for.");
        using var device = new CpuDevice(1);
        using var weight = device.Allocate(Format.Q4_0, 16, 256);
        using var prepared = device.PrepareWeight(weight, ActivationPrecision.Int8);
        using var input = device.Allocate(Format.F32, 1, 256);
        using var output = device.Allocate(Format.F32, 1, 256);
        Assert.Contains("prepared", Assert.Throws<ArgumentException>(() => device.Embed(prepared, [0], 1, output)).Message, StringComparison.Ordinal);
        Assert.Contains("prepared", Assert.Throws<ArgumentException>(() => device.Copy(prepared, 0, weight, 0, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("prepared", Assert.Throws<ArgumentException>(() => device.PrepareWeight(prepared, ActivationPrecision.Int8)).Message, StringComparison.Ordinal);
        Assert.Contains("8-bit", Assert.Throws<ArgumentException>(() => device.MatMul(prepared, null, input, output, 1, ActivationPrecision.Float32)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => prepared.SliceRows(0, 8));
        Assert.Throws<InvalidOperationException>(() => prepared.Reshape(16, 256));
        prepared.Dispose();
        Assert.Throws<ObjectDisposedException>(() => device.MatMul(prepared, null, input, output, 1, ActivationPrecision.Int8));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Products_of_one_input_are_what_each_is_alone(bool arePrepared)
    {
        const int rows = 3;
        using var device = new CpuDevice(2);
        using var input = device.Allocate(Format.F32, rows, Columns);
        device.Write(input, 0, Noise(rows * Columns));
        var projections = new Projection[3];
        float[][] expected = new float[3][];
        Format[] formats = [Format.Q4_0, Format.Q6_K, Format.F16];
        for (int i = 0; i < 3; i++)
        {
            byte[] bytes = Encoded(formats[i]);
            var weight = device.Allocate(formats[i], Outputs, Columns);
            fixed (byte* pointer = bytes)
            {
                using var mapped = device.FromMapped(formats[i], Outputs, Columns, pointer);
                device.Copy(mapped, 0, weight, 0, Outputs);
            }

            projections[i] = new Projection(arePrepared ? device.PrepareWeight(weight, ActivationPrecision.Int8) : weight, null, device.Allocate(Format.F32, rows, Outputs));
            device.MatMul(projections[i].Weight, null, input, projections[i].Output, rows, ActivationPrecision.Int8);
            expected[i] = Values(projections[i].Output);
        }

        foreach (int[] chosen in (int[][])[[0, 1], [0, 1, 2], [2], []])
        {
            foreach (var projection in projections) device.Clear(projection.Output, rows, Outputs);
            device.MatMul([.. chosen.Select(i => projections[i])], input, rows, ActivationPrecision.Int8);
            foreach (int i in chosen) Assert.Equal(expected[i], Values(projections[i].Output));
        }

        Assert.Throws<ArgumentException>(() => device.MatMul([projections[0], projections[1] with { Output = input }], projections[0].Output, rows, ActivationPrecision.Int8));

        float[] Values(Tensor tensor)
        {
            var values = new float[rows * Outputs];
            device.Read(tensor, 0, values);
            return values;
        }
    }

    private static byte[] Encoded(Format format)
    {
        byte[] bytes = new byte[Outputs * format.RowBytes(Columns)];
        format.Encode(Noise(Outputs * Columns), bytes);
        return bytes;
    }

    private static float[] Product(CpuDevice device, Tensor weight, int rows)
    {
        using var input = device.Allocate(Format.F32, rows, Columns);
        using var output = device.Allocate(Format.F32, rows, Outputs);
        device.Write(input, 0, Noise(rows * Columns));
        device.MatMul(weight, null, input, output, rows, ActivationPrecision.Int8);
        var values = new float[rows * Outputs];
        device.Read(output, 0, values);
        return values;
    }

    private static float[] Noise(int count)
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }
}
