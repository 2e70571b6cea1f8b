using FastLayers.Kernels.Formats;

namespace FastLayers.Tests.Sessions;

/// <summary>Sessions whose keys and values are stored in blocks; heads of the model have 64 values.</summary>
public class CacheFormatTests
{
    private const string Model = "tiny256-Q8_0";

    private static readonly int[] s_ids = TestModels.RandomIds(150, 288, seed: 11);

    /// <summary>
    /// Root mean square of the change of the logits against floats, relative to their own. The weights are random, which makes attention and so the
    /// logits more sensitive than those of a trained model.
    /// </summary>
    [Theory]
    [InlineData("f16", "f16", 2e-3)]
    [InlineData("q8_0", "q8_0", 0.03)]
    [InlineData("f16", "q8_0", 0.03)]
    [InlineData("q8_0", "q4_0", 0.25)]
    [InlineData("q4_0", "q4_0", 0.4)]
    public void Logits_stay_close_to_those_of_floats(string keys, string values, double bound)
    {
        using var model = TestModels.Load(Model);
        float[] expected = Run(model, Options("f32", "f32"), s_ids), actual = Run(model, Options(keys, values), s_ids);
        Assert.NotEqual(expected, actual);
        Assert.InRange(TestModels.RelativeRms(expected, actual), 0, bound);
    }

    /// <summary>Where two tokens are as likely as each other, rounding decides: one position in twenty may differ.</summary>
    [Fact]
    public void The_likeliest_tokens_with_8_bits_are_those_with_halves()
    {
        using var model = TestModels.Load(Model);
        float[] half = Run(model, Options("f16", "f16"), s_ids), byteWide = Run(model, Options("q8_0", "q8_0"), s_ids);
        int vocabulary = model.Config.VocabularySize;
        int different = Enumerable.Range(0, s_ids.Length).Count(row => Likeliest(half, row) != Likeliest(byteWide, row));
        Assert.InRange(different, 0, s_ids.Length / 20);

        int Likeliest(float[] logits, int row)
        {
            var span = logits.AsSpan(row * vocabulary, vocabulary);
            int best = 0;
            for (int i = 1; i < vocabulary; i++) best = span[i] > span[best] ? i : best;
            return best;
        }
    }

    [Fact]
    public void Fewer_bits_take_less_memory()
    {
        using var model = TestModels.Load(Model);
        using var half = model.CreateSession(Options("f16", "f16"));
        using var mixed = model.CreateSession(Options("q8_0", "q4_0"));

        // 34 and 18 bytes a block of 32 values, against 64.
        Assert.Equal(half.CacheBytes * (34 + 18) / 128, mixed.CacheBytes);
    }

    [Fact]
    public void Forks_and_rewound_sessions_give_the_same_bits()
    {
        using var model = TestModels.Load(Model);
        using var session = model.CreateSession(Options("q8_0", "q4_0"));
        float[] expected = Continue(session, s_ids[..100], s_ids[100..]);
        session.Rewind(100);
        using var fork = session.Fork();
        Continue(session, [], [.. s_ids[100..].Reverse()]);
        Assert.Equal(expected, Continue(fork, [], s_ids[100..]));
        session.Rewind(100);
        Assert.Equal(expected, Continue(session, [], s_ids[100..]));
    }

    [Fact]
    public void One_to_three_threads_give_the_same_bits()
    {
        float[]? first = null;
        for (int threads = 1; threads <= 3; threads++)
        {
            using var device = new CpuDevice(threads);
            using var model = FastLayers.Model.Load(TestModels.LlamaCpp(Model), device, new ModelOptions { Activations = ActivationPrecision.Float32 });
            using var session = model.CreateSession(Options("q8_0", "q4_0"));
            float[] logits = Continue(session, s_ids[..^1], s_ids[^1..]);
            first ??= logits;
            Assert.Equal(first, logits);
        }
    }

    [Fact]
    public void Heads_that_are_no_whole_blocks_are_refused()
    {
        using var model = TestModels.Load("tiny64-f32");
        string message = Assert.Throws<ArgumentException>(() => model.CreateSession(new SessionOptions { ValueFormat = Format.Q4_0 })).Message;
        Assert.Contains("ValueFormat q4_0 stores blocks of 32 values; the heads of layer 0 have 16.", message, StringComparison.Ordinal);
    }

    private static float[] Run(Model model, SessionOptions options, int[] ids)
    {
        using var session = model.CreateSession(options);
        var logits = new float[ids.Length * model.Config.VocabularySize];
        session.AppendWithLogits(ids, logits);
        return logits;
    }

    /// <summary>The logits after a prompt at once and further tokens one by one.</summary>
    private static float[] Continue(Session session, int[] prompt, int[] further)
    {
        if (prompt.Length > 0) session.Append(prompt);
        foreach (int id in further) session.Append([id]);
        var logits = new float[288];
        session.Logits(logits);
        return logits;
    }

    private static SessionOptions Options(string keys, string values) =>
        new() { KeyFormat = Find(keys), ValueFormat = Find(values) };

    private static Format Find(string name) => Format.TryParse(name, out var format) ? format : throw new ArgumentException(name);
}
