using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Tests.Formats;

/// <summary>The encoders that search for scales.</summary>
public class ScaleSearchTests
{
    // Ours minimizes the plain squared error, the reference one weighted by magnitude: being worse by more than 2 % would be a defect.
    private const double AllowedErrorRatio = 1.02;

    public static TheoryData<string> SearchedFormats => new(ReferenceVectors.SearchedFormats);

    public static TheoryData<string> FormatsWithUseForImportance =>
        new([.. ReferenceVectors.SearchedFormats, "q4_0", "q4_1", "q5_0", "q5_1"]);

    [Theory, MemberData(nameof(SearchedFormats))]
    public void Squared_error_is_no_worse_than_that_of_the_reference(string name)
    {
        float[] x = ReferenceVectors.X;

        double error = SquaredError(x, RoundTrip(ReferenceVectors.Get(name), x));
        double reference = SquaredError(x, ReferenceVectors.Decoded(name));

        TestContext.Current.TestOutputHelper!.WriteLine($"{name}: squared error {error:G6}, reference {reference:G6}, ratio {error / reference:F4}");
        Assert.InRange(error / reference, 0, AllowedErrorRatio);
    }

    [Theory, MemberData(nameof(SearchedFormats))]
    public void No_stretch_of_the_row_is_given_up_for_the_outliers(string name)
    {
        float[] x = ReferenceVectors.X;
        float[] decoded = RoundTrip(ReferenceVectors.Get(name), x);
        float[] reference = ReferenceVectors.Decoded(name);

        // Blocks of 256 differ in magnitude by six orders; each is compared by itself.
        for (int start = 0; start < x.Length; start += 256)
        {
            double error = SquaredError(x.AsSpan(start, 256), decoded.AsSpan(start, 256));
            double expected = SquaredError(x.AsSpan(start, 256), reference.AsSpan(start, 256));
            Assert.True(error <= AllowedErrorRatio * expected, $"{name}, values from {start}: {error:G6} > {expected:G6}");
        }
    }

    [Theory, MemberData(nameof(FormatsWithUseForImportance))]
    public void Importance_moves_the_error_away_from_the_values_that_matter(string name)
    {
        Format format = ReferenceVectors.Get(name);
        float[] x = ReferenceVectors.X;
        float[] importance = [.. Enumerable.Range(0, x.Length).Select(i => i % 5 == 0 ? 20f : 0.2f)];

        double plain = SquaredError(x, RoundTrip(format, x), importance);
        double weighted = SquaredError(x, RoundTrip(format, x, importance), importance);

        Assert.InRange(weighted / plain, 0, 0.97);
    }

    [Theory, MemberData(nameof(FormatsWithUseForImportance))]
    public void Importance_of_zero_everywhere_still_encodes(string name)
    {
        float[] x = ReferenceVectors.X;
        float[] decoded = RoundTrip(ReferenceVectors.Get(name), x, new float[x.Length]);

        Assert.All(decoded, value => Assert.True(float.IsFinite(value)));
    }

    [Theory, MemberData(nameof(SearchedFormats))]
    public void Constant_rows_come_back_within_half_a_percent(string name)
    {
        foreach (float constant in new[] { -3f, 0f, 0.5f, 700f })
        {
            float[] x = new float[512];
            Array.Fill(x, constant);
            Assert.All(RoundTrip(ReferenceVectors.Get(name), x), y => Assert.Equal(constant, y, Math.Abs(constant) * 0.005f));
        }
    }

    private static float[] RoundTrip(Format format, float[] x, float[]? importance = null)
    {
        byte[] blocks = new byte[format.RowBytes(x.Length)];
        format.Encode(x, blocks, importance);
        float[] decoded = new float[x.Length];
        format.Decode(blocks, decoded);
        return decoded;
    }

    private static double SquaredError(ReadOnlySpan<float> x, ReadOnlySpan<float> y, float[]? weights = null)
    {
        double sum = 0;
        for (int i = 0; i < x.Length; i++)
            sum += ((double)x[i] - y[i]) * ((double)x[i] - y[i]) * (weights?[i] ?? 1);
        return sum;
    }
}
