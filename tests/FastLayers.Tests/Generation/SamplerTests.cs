using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FastLayers.Tests.Generation;

public class SamplerTests
{
    /// <summary>Options under which nothing is dropped and nothing is penalized.</summary>
    private static readonly GenerationOptions s_plain = new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0, Seed = 1 };

    /// <summary>Logits whose shares of the most likely token are 1, 1/2, 1/4, 1/4 and 1/16, in mixed order.</summary>
    private static readonly float[] s_logits = [MathF.Log(0.25f), MathF.Log(0.0625f), 0, MathF.Log(0.5f), MathF.Log(0.25f)];

    [Theory]
    [InlineData(1, new[] { 2 })]
    [InlineData(2, new[] { 2, 3 })]
    [InlineData(3, new[] { 0, 2, 3 })] // of the equal 0 and 4 the lower id stays
    [InlineData(4, new[] { 0, 2, 3, 4 })]
    [InlineData(5, new[] { 0, 1, 2, 3, 4 })]
    [InlineData(0, new[] { 0, 1, 2, 3, 4 })]
    [InlineData(99, new[] { 0, 1, 2, 3, 4 })]
    public void Top_k_keeps_the_k_most_likely(int k, int[] expected) => AssertKept(expected, s_plain with { TopK = k });

    [Theory]
    [InlineData(0.01f, new[] { 2 })]
    [InlineData(0.48f, new[] { 2 })] // 1 of 2.0625 is 0.485
    [InlineData(0.49f, new[] { 2, 3 })]
    [InlineData(0.72f, new[] { 2, 3 })] // 1.5 of 2.0625 is 0.727
    [InlineData(0.73f, new[] { 0, 2, 3 })]
    [InlineData(0.84f, new[] { 0, 2, 3 })] // 1.75 of 2.0625 is 0.848
    [InlineData(0.96f, new[] { 0, 2, 3, 4 })] // 2 of 2.0625 is 0.970
    [InlineData(0.98f, new[] { 0, 1, 2, 3, 4 })]
    [InlineData(1, new[] { 0, 1, 2, 3, 4 })]
    public void Top_p_keeps_the_fewest_that_reach_p(float p, int[] expected) => AssertKept(expected, s_plain with { TopP = p });

    [Theory]
    [InlineData(1, new[] { 2 })]
    [InlineData(0.51f, new[] { 2 })]
    [InlineData(0.49f, new[] { 2, 3 })]
    [InlineData(0.26f, new[] { 2, 3 })]
    [InlineData(0.24f, new[] { 0, 2, 3, 4 })]
    [InlineData(0.06f, new[] { 0, 1, 2, 3, 4 })]
    [InlineData(0, new[] { 0, 1, 2, 3, 4 })]
    public void Min_p_keeps_those_that_are_likely_enough(float p, int[] expected) => AssertKept(expected, s_plain with { MinP = p });

    [Fact]
    public void Top_p_is_a_share_of_what_top_k_kept()
    {
        // Of all tokens the best has 0.485, of the best two 0.667.
        AssertKept([2, 3], s_plain with { TopP = 0.6f });
        AssertKept([2], s_plain with { TopP = 0.6f, TopK = 2 });
    }

    [Fact]
    public void Top_p_is_a_share_of_what_min_p_has_not_dropped_yet() =>
        // Of the two tokens that min-p keeps the best would have 0.667, of all it has 0.485.
        AssertKept([2, 3], s_plain with { TopP = 0.6f, MinP = 0.4f });

    [Fact]
    public void Temperature_does_not_change_what_is_kept()
    {
        AssertKept([2, 3], s_plain with { TopP = 0.7f, Temperature = 50 });
        AssertKept([2, 3], s_plain with { MinP = 0.4f, Temperature = 50 });
    }

    [Fact]
    public void Temperature_0_takes_the_lowest_id_of_the_most_likely()
    {
        var sampler = new Sampler(s_plain with { Temperature = 0 }, 6);

        Assert.Equal(1, sampler.Sample([-2, 5, 5, float.NegativeInfinity, 4.5f, 5], []));
        Assert.Equal(0, sampler.Sample([-3, -3, -3, -3, -3, -3], []));
        Assert.Equal(0, sampler.Sample([-0f, 0, -1, -1, -1, -1], []));
        Assert.Equal(5, sampler.Sample([float.MinValue, float.MinValue, float.NegativeInfinity, -1e30f, -1e30f, -1e29f], []));
        Assert.Equal(1, sampler.CandidateCount);
    }

    [Fact]
    public void Zeros_of_both_signs_are_equal()
    {
        AssertKept([0, 1], s_plain with { TopP = 0.5f, TopK = 0 }, [-0f, 0, -0f, 0]);
        AssertKept([0, 1], s_plain with { TopK = 2 }, [-0f, 0, -0f, 0]);
    }

    [Fact]
    public void Excluded_tokens_are_never_drawn()
    {
        float[] logits = [float.NegativeInfinity, 0, float.NegativeInfinity, 1];
        AssertKept([1, 3], s_plain with { Temperature = 100 }, logits);
        AssertKept([1, 3], s_plain with { Temperature = 100, TopK = 3 }, logits);
        AssertKept([1, 3], s_plain with { Temperature = 100, TopP = 0.999f }, logits);
    }

    [Fact]
    public void A_very_low_temperature_takes_the_most_likely()
    {
        var sampler = new Sampler(s_plain with { Temperature = float.Epsilon }, 5);
        for (int i = 0; i < 100; i++) Assert.Equal(2, sampler.Sample([.. s_logits], []));
    }

    [Fact]
    public void Logits_may_be_of_any_size()
    {
        AssertKept([0, 1, 2, 3], s_plain with { Temperature = 1e38f }, [float.MaxValue, float.MinValue, 0, 1e30f]);
        AssertKept([0], s_plain with { TopP = 0.9f }, [float.MaxValue, float.MinValue, 0, 1e30f]);
    }

    [Fact]
    public void Repetition_divides_positive_and_multiplies_other_logits()
    {
        float[] logits = [4, -4, 0, 2];
        new Sampler(s_plain with { RepetitionPenalty = 2 }, 4).Sample(logits, [0, 1, 1, 2, 0]);
        Assert.Equal([2, -8, 0, 2], logits);
    }

    [Fact]
    public void Frequency_counts_and_presence_does_not()
    {
        float[] logits = [4, 4, 4, float.NegativeInfinity];
        new Sampler(s_plain with { FrequencyPenalty = 0.5f, PresencePenalty = 1 }, 4).Sample(logits, [0, 1, 1, 1, 3]);
        Assert.Equal([2.5f, 1.5f, 4, float.NegativeInfinity], logits);
    }

    [Theory]
    [InlineData(0, new float[] { 4, 4, 4 })]
    [InlineData(1, new float[] { 4, 4, 3 })]
    [InlineData(2, new float[] { 4, 3, 3 })]
    [InlineData(64, new float[] { 3, 3, 3 })]
    public void Penalties_see_the_window_only(int window, float[] expected)
    {
        float[] logits = [4, 4, 4];
        new Sampler(s_plain with { PresencePenalty = 1, PenaltyWindow = window }, 3).Sample(logits, [0, 0, 1, 2]);
        Assert.Equal(expected, logits);
    }

    [Fact]
    public void Without_penalties_logits_stay_and_the_past_does_not_count()
    {
        float[] logits = [.. s_logits];
        new Sampler(s_plain, 5).Sample(logits, [0, 0, -7, 1000]);
        Assert.Equal(s_logits, logits);
    }

    [Fact]
    public void The_seed_decides_the_tokens()
    {
        int[] Draw(ulong? seed)
        {
            var sampler = new Sampler(s_plain with { Seed = seed }, 5);
            return [.. Enumerable.Range(0, 200).Select(_ => sampler.Sample([.. s_logits], []))];
        }

        Assert.Equal(Draw(7), Draw(7));
        Assert.NotEqual(Draw(7), Draw(8));
        Assert.NotEqual(Draw(null), Draw(null));
    }

    /// <summary>Guards against a change of the random numbers: texts that were made with a seed should come out again in later versions.</summary>
    [Fact]
    public void The_tokens_of_a_seed_stay_the_same_in_all_versions()
    {
        var sampler = new Sampler(s_plain with { Seed = 42 }, 5);
        int[] drawn = [.. Enumerable.Range(0, 12).Select(_ => sampler.Sample([.. s_logits], []))];
        Assert.Equal([3, 2, 2, 2, 0, 3, 2, 3, 2, 2, 2, 2], drawn);
    }

    [Theory]
    [InlineData(0, float.NaN, "Logit 0 is NaN")]
    [InlineData(17, float.NaN, "Logit 17 is NaN")]
    [InlineData(36, float.NaN, "Logit 36 is NaN")]
    [InlineData(5, float.PositiveInfinity, "Logit 5 is plus infinity")]
    public void Logits_that_are_no_numbers_are_refused(int index, float value, string message)
    {
        foreach (var options in (ReadOnlySpan<GenerationOptions>)[s_plain, s_plain with { Temperature = 0 }, s_plain with { TopK = 3 }])
        {
            var sampler = new Sampler(options, 37);
            var logits = new float[37];
            logits[index] = value;
            Assert.Contains(message, Assert.Throws<ArgumentException>("logits", () => sampler.Sample(logits, [])).Message, StringComparison.Ordinal);
            logits[index] = 0;
            Assert.InRange(sampler.Sample(logits, []), 0, 36);
        }
    }

    [Fact]
    public void A_choice_among_nothing_is_refused()
    {
        var sampler = new Sampler(s_plain, 3);
        var nothing = new float[3];
        Array.Fill(nothing, float.NegativeInfinity);

        Assert.Contains("excluded", Assert.Throws<ArgumentException>("logits", () => sampler.Sample(nothing, [])).Message, StringComparison.Ordinal);
        Assert.Contains("4 logits for a vocabulary of 3", Assert.Throws<ArgumentException>("logits", () => sampler.Sample(new float[4], [])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(s_plain, 0));
        Assert.Throws<ArgumentNullException>(() => new Sampler(null!, 3));
        Assert.Throws<ArgumentOutOfRangeException>("TopK", () => new Sampler(s_plain with { TopK = -1 }, 3));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    public void A_recent_token_outside_the_vocabulary_is_refused_and_leaves_no_trace(int id)
    {
        var sampler = new Sampler(s_plain with { FrequencyPenalty = 1 }, 3);
        Assert.Throws<ArgumentOutOfRangeException>("recent", () => sampler.Sample([0, 0, 0], [1, id]));
        float[] logits = [0, 0, 0];
        sampler.Sample(logits, [0]);
        Assert.Equal([-1, 0, 0], logits);
    }

    [Theory]
    [InlineData(0, 0.9f, 0.05f)]
    [InlineData(0, 1, 0)]
    [InlineData(40, 0.95f, 0.05f)]
    [InlineData(5000, 0.95f, 0)]
    public void A_choice_allocates_nothing(int topK, float topP, float minP)
    {
        const int vocabulary = 3000;
        var sampler = new Sampler(s_plain with { TopK = topK, TopP = topP, MinP = minP, RepetitionPenalty = 1.1f, FrequencyPenalty = 0.1f }, vocabulary);
        float[] logits = Noise(vocabulary, seed: 3);
        int[] recent = [5, 6, 7, 5];

        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 50; i++) sampler.Sample(logits, recent);
        }));
    }

    /// <summary>Any mix of options on logits with many ties keeps what the definition keeps, and draws from it.</summary>
    [Property(MaxTest = 1000)]
    public Property Any_options_keep_what_the_definition_keeps() => Prop.ForAll(ArbMap.Default.ArbFor<ulong>(), seed =>
    {
        var random = new SplitMix64(seed);
        var generator = new Random((int)(random.Next() >> 33));
        int vocabulary = 1 + generator.Next(70);
        float[] logits = [.. Enumerable.Range(0, vocabulary).Select(_ => generator.Next(12) == 0 ? float.NegativeInfinity : generator.Next(-9, 9) / 3f)];
        logits[generator.Next(vocabulary)] = 1;
        int[] recent = [.. Enumerable.Range(0, generator.Next(20)).Select(_ => generator.Next(vocabulary))];
        // Limits are drawn at random, so that no sum of shares comes as close to one as rounding could move it.
        var options = new GenerationOptions
        {
            Seed = seed,
            Temperature = generator.Next(4) == 0 ? 0 : 0.3f + generator.NextSingle(),
            TopK = generator.Next(3) == 0 ? 0 : generator.Next(80),
            TopP = generator.Next(3) == 0 ? 1 : 0.01f + (0.98f * generator.NextSingle()),
            MinP = generator.Next(3) == 0 ? 0 : generator.NextSingle(),
            RepetitionPenalty = generator.Next(2) == 0 ? 1 : 1.25f,
            FrequencyPenalty = generator.Next(2) == 0 ? 0 : 0.5f,
            PresencePenalty = generator.Next(2) == 0 ? 0 : -0.25f,
            PenaltyWindow = generator.Next(20),
        };
        double[] expected = SamplingDefinition.Probabilities(logits, recent, options);
        var sampler = new Sampler(options, vocabulary);

        int drawn = sampler.Sample(logits, recent);

        Assert.True(expected[drawn] > 0, $"{drawn} was drawn.");
        Assert.Equal(expected.Count(p => p > 0), sampler.CandidateCount);
    });

    private static void AssertKept(int[] expected, GenerationOptions options, float[]? logits = null)
    {
        logits ??= s_logits;
        var sampler = new Sampler(options, logits.Length);
        var drawn = new SortedSet<int>();
        for (int i = 0; i < 1000; i++) drawn.Add(sampler.Sample([.. logits], []));

        Assert.Equal(expected.Length, sampler.CandidateCount);
        Assert.Equal(expected, drawn);
    }

    private static float[] Noise(int count, ulong seed)
    {
        var random = new SplitMix64(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 12) - 6)];
    }
}
