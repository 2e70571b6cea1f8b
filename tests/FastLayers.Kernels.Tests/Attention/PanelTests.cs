using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.Attention;

/// <summary>Neighboring rows, which share the panels of a page.</summary>
public unsafe class PanelTests
{
    private const int Size = 64;
    private const int Tokens = 70;
    /// <summary>Absolute, for values of about 1 and scores up to 30: queries and weights of 15 bits.</summary>
    private const double Tolerance = 1e-4;

    [Theory]
    [InlineData("f32")]
    [InlineData("f16")]
    [InlineData("q8_0")]
    public void Values_that_are_not_finite_stay_with_the_rows_that_see_them(string name)
    {
        using var pool = new WorkerPool(1);
        Assert.True(Format.TryParse(name, out var format));
        var random = new Random(5);
        float[] keys = Noise(random), values = Noise(random), query = Noise(random);
        values[((Tokens - 1) * Size) + 3] = float.PositiveInfinity;
        int rowBytes = (int)format.RowBytes(Size);
        byte[] keyBytes = new byte[2 * PagedCache.PageLength * rowBytes], valueBytes = new byte[keyBytes.Length];
        int[] positions = [.. Enumerable.Range(0, Tokens)], ends = [.. Enumerable.Range(1, Tokens)], sequences = new int[Tokens], pages = [1, 0];
        float[] output = new float[Tokens * Size];
        double[] expected = new double[output.Length];
        fixed (byte* keyPages = keyBytes, valuePages = valueBytes)
        fixed (float* k = keys, v = values, q = query, y = output)
        fixed (int* p = positions, e = ends, s = sequences, table = pages)
        {
            var cache = new PagedCache { Keys = keyPages, Values = valuePages, PageTable = table, PagesPerSequence = 2, Heads = 1, KeySize = Size, ValueSize = Size, KeyFormat = format, ValueFormat = format };
            AppendKv.Append(pool, cache, k, v, s, p, Tokens);
            var arguments = new AttentionArguments { Cache = cache, Query = q, Output = y, Sequences = s, End = e, Rows = Tokens, Heads = 1, Scale = 0.125f };
            float[] workspace = new float[AttentionSimd.WorkspaceLength(arguments)];
            AttentionReference.Attend(arguments, expected);
            foreach (var level in Enum.GetValues<SimdLevel>())
            {
                fixed (float* parts = workspace) AttentionSimd.Attend(pool, arguments, parts, level);
                int end = (Tokens - 1) * Size;
                for (int i = 0; i < end; i++) Assert.Equal(expected[i], output[i], Tolerance);
                Assert.False(float.IsFinite(output[end + 3]));
            }
        }
    }

    private static float[] Noise(Random random) => [.. Enumerable.Range(0, Tokens * Size).Select(_ => (float)(random.NextDouble() * 4) - 2)];
}
