namespace FastLayers.Tests.Generation;

/// <summary>Draws many tokens with a fixed seed and compares their numbers with the exact probabilities by Pearson's χ².</summary>
public class SamplerDistributionTests
{
    private const int Draws = 40_000;

    /// <summary>Fewer expected draws than this make χ² unreliable, so such tokens are counted together.</summary>
    private const double LeastExpected = 10;

    /// <summary>
    /// How far χ² may lie above its mean, in standard deviations √(2k): a right sampler exceeds it about once in 10,000 seeds, one that
    /// draws a token of probability 0.1 with 0.12 exceeds it by far (χ² + 178).
    /// </summary>
    private const double LargestDeviation = 4.5;

    public static TheoryData<string, GenerationOptions> Cases => new()
    {
        { "plain", new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0 } },
        { "cold", new() { Temperature = 0.5f, TopK = 0, TopP = 1, MinP = 0 } },
        { "hot", new() { Temperature = 3, TopK = 0, TopP = 1, MinP = 0 } },
        { "top-k", new() { Temperature = 1, TopK = 7, TopP = 1, MinP = 0 } },
        { "top-p", new() { Temperature = 1, TopK = 0, TopP = 0.8f, MinP = 0 } },
        { "min-p", new() { Temperature = 1.5f, TopK = 0, TopP = 1, MinP = 0.1f } },
        { "defaults", new() },
        { "everything", new() { Temperature = 1.2f, TopK = 20, TopP = 0.9f, MinP = 0.02f, RepetitionPenalty = 1.3f, FrequencyPenalty = 0.2f, PresencePenalty = 0.4f, PenaltyWindow = 5 } },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Tokens_come_as_often_as_they_should(string name, GenerationOptions options)
    {
        Assert.NotEmpty(name);
        float[] logits = Logits(60);
        int[] recent = [1, 2, 3, 3, 9, 20, 20];
        double[] expected = SamplingDefinition.Probabilities(logits, recent, options);
        var sampler = new Sampler(options with { Seed = 12345 }, logits.Length);
        var counts = new int[logits.Length];
        for (int i = 0; i < Draws; i++) counts[sampler.Sample([.. logits], recent)]++;

        for (int id = 0; id < counts.Length; id++) Assert.True(expected[id] > 0 || counts[id] == 0, $"Token {id} was dropped and drawn {counts[id]} times.");
        var (statistic, freedom) = ChiSquare(counts, expected);
        Assert.InRange(statistic, 0, freedom + (LargestDeviation * Math.Sqrt(2.0 * freedom)));
    }

    [Fact]
    public void The_measure_finds_a_small_bias()
    {
        double[] expected = [0.1, 0.3, 0.6];
        int[] biased = [(int)(0.12 * Draws), (int)(0.3 * Draws), (int)(0.58 * Draws)];
        var (statistic, freedom) = ChiSquare(biased, expected);
        Assert.True(statistic > freedom + (LargestDeviation * Math.Sqrt(2.0 * freedom)));
    }

    [Fact]
    public void Random_numbers_fill_the_unit_interval_evenly()
    {
        var random = new SplitMix64(99);
        var counts = new int[64];
        double[] expected = [.. Enumerable.Repeat(1.0 / counts.Length, counts.Length)];
        for (int i = 0; i < Draws; i++)
        {
            double value = random.NextDouble();
            Assert.InRange(value, 0, 1 - double.Epsilon);
            counts[(int)(value * counts.Length)]++;
        }

        var (statistic, freedom) = ChiSquare(counts, expected);
        Assert.InRange(statistic, 0, freedom + (LargestDeviation * Math.Sqrt(2.0 * freedom)));
    }

    /// <summary>The first outputs for seed 1234567 of the generator's published definition.</summary>
    [Fact]
    public void Random_numbers_are_those_of_SplitMix64()
    {
        var random = new SplitMix64(1234567);
        ulong[] drawn = [random.Next(), random.Next(), random.Next(), random.Next(), random.Next()];
        Assert.Equal([6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821], drawn);
    }

    private static (double Statistic, int Freedom) ChiSquare(int[] counts, double[] probabilities)
    {
        double statistic = 0;
        int cells = 0;
        double restExpected = 0;
        double restCount = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            double expected = probabilities[i] * Draws;
            if (expected < LeastExpected)
            {
                restExpected += expected;
                restCount += counts[i];
                continue;
            }

            statistic += Math.Pow(counts[i] - expected, 2) / expected;
            cells++;
        }

        if (restExpected >= LeastExpected)
        {
            statistic += Math.Pow(restCount - restExpected, 2) / restExpected;
            cells++;
        }

        return (statistic, Math.Max(1, cells - 1));
    }

    private static float[] Logits(int count)
    {
        var random = new SplitMix64(5);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 7) - 4)];
    }
}
