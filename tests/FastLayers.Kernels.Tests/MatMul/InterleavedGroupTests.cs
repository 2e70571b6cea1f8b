using System.Buffers;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.MatMul;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.MatMul;

public sealed unsafe class InterleavedGroupTests
{
    private const int Columns = 256;

    [Theory]
    [InlineData("q4_0 q6_k q4_k q2_k", "19 1 40 8", 1)]
    [InlineData("q4_0 q6_k q4_k q2_k", "19 1 40 8", 9)]
    [InlineData("q8_0 q8_0 q8_0", "32 8 8", 70)]
    [InlineData("f32 bf16 f16", "19 8 3", 7)]
    [InlineData("q4_0 q5_k", "0 17", 2)]
    public void Products_together_are_products_one_by_one(string formats, string sizes, int rows)
    {
        SkipWithoutLayout();
        float[] x = Noise(rows * Columns, 5);
        int[] outputs = [.. sizes.Split(' ').Select(int.Parse)];
        Format[] kinds = [.. formats.Split(' ').Select(name => Format.TryParse(name, out var format) ? format : throw new ArgumentException(name))];
        foreach (int threads in (int[])[1, 2, 5])
        {
            using var pool = new WorkerPool(threads);
            float[][] alone = [.. kinds.Select((format, i) => Multiply(pool, [format], [outputs[i]], x, rows)[0])];
            Assert.Equal(alone, Multiply(pool, kinds, outputs, x, rows));
        }
    }

    [Fact]
    public void What_makes_no_group_is_refused()
    {
        SkipWithoutLayout();
        using var pool = new WorkerPool(1);
        float input = 0;
        float* x = &input;
        var one = Empty(Format.Q4_0, x);
        Refused([], "found 0");
        Refused([one, one, one, one, one], "found 5");
        Refused([one, Empty(Format.Q4_0, x, rows: 2)], "same activations");
        Refused([one, Empty(Format.Q4_0, x, columns: 64)], "same activations");
        Refused([one, Empty(Format.Q4_0, null)], "same activations");
        Refused([one, Empty(Format.F32, x)], "same precision");
        Refused([one, Empty(Format.Q8_K, x, columns: 256)], "no interleaved layout");
        Refused([one, Empty(Format.Q4_0, x, outputs: -1)], "at least 0");

        static MatMulArguments Empty(Format format, float* input, int rows = 1, int outputs = 0, int columns = 32) =>
            new() { Format = format, Weights = null, Input = input, Output = null, Rows = rows, Outputs = outputs, Columns = columns };

        void Refused(MatMulArguments[] group, string why)
        {
            var error = Assert.Throws<ArgumentException>(() => MatMulSimdInterleaved.Multiply(pool, group, null));
            Assert.Contains(why, error.Message, StringComparison.Ordinal);
        }
    }

    private static void SkipWithoutLayout() => Assert.SkipUnless(InterleavedLayout.IsSupported, "This processor has no AVX2, which the layout is made for.");

    private static float[] Noise(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }

    private static float[][] Multiply(WorkerPool pool, Format[] formats, int[] outputs, float[] x, int rows)
    {
        var group = new MatMulArguments[formats.Length];
        float[][] results = [.. outputs.Select(count => new float[rows * count])];
        var pins = new List<MemoryHandle>();
        var memory = new List<nint>();
        try
        {
            for (int i = 0; i < group.Length; i++)
            {
                var format = formats[i];
                byte[] weights = new byte[outputs[i] * format.RowBytes(Columns)];
                format.Encode(Noise(outputs[i] * Columns, 7 + outputs[i]), weights);
                var layout = InterleavedLayout.For(format)!;
                byte* interleaved = Allocate(layout.Bytes(outputs[i], Columns));
                fixed (byte* pointer = weights) layout.Interleave(pool, pointer, outputs[i], Columns, interleaved);
                group[i] = new MatMulArguments { Format = format, Weights = interleaved, Input = (float*)Pin(x), Output = (float*)Pin(results[i]), Rows = rows, Outputs = outputs[i], Columns = Columns };
            }

            MatMulSimdInterleaved.Multiply(pool, group, Allocate(InterleavedLayout.For(formats[0])!.ActivationBytes(rows, Columns)));
        }
        finally
        {
            foreach (var pin in pins) pin.Dispose();
            foreach (nint block in memory) NativeMemory.AlignedFree((void*)block);
        }

        return results;

        void* Pin(float[] values)
        {
            pins.Add(values.AsMemory().Pin());
            return pins[^1].Pointer;
        }

        byte* Allocate(long bytes)
        {
            memory.Add((nint)NativeMemory.AlignedAlloc((nuint)bytes + 64, 64));
            return (byte*)memory[^1];
        }
    }
}
