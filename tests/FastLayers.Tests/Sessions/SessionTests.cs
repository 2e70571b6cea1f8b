using FastLayers.Kernels.Formats;

namespace FastLayers.Tests.Sessions;

public class SessionTests
{
    /// <summary>How far results may differ that are computed in another order.</summary>
    private const double OrderTolerance = 1e-5;

    private static readonly int[] s_ids = TestModels.RandomIds(150, 320, seed: 7);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(149)]
    public void Chunks_of_any_size_give_the_same_logits(int chunk)
    {
        using var model = TestModels.Load("tiny64-f32");
        float[] whole = model.Logits(s_ids);
        using var session = model.CreateSession(TestModels.F32Cache with { ChunkLength = chunk });
        var logits = new float[whole.Length];

        session.AppendWithLogits(s_ids, logits);

        Assert.InRange(TestModels.MaxDifference(whole, logits), 0, OrderTolerance);
    }

    [Theory]
    [InlineData("tiny64-f32", ActivationPrecision.Float32)]
    [InlineData("tiny64-Q4_0", ActivationPrecision.Float32)]
    [InlineData("tiny64-Q4_0", ActivationPrecision.Int8)]
    [InlineData("tiny256-Q4_K_M", ActivationPrecision.Int8)]
    [InlineData("tiny256-Q6_K", ActivationPrecision.Int8)]
    public void One_to_four_threads_give_the_same_bits(string name, ActivationPrecision activations)
    {
        int[] ids = TestModels.RandomIds(40, 288, seed: 3);
        float[]? first = null;
        for (int threads = 1; threads <= 4; threads++)
        {
            using var device = new CpuDevice(threads);
            using var model = Model.Load(TestModels.LlamaCpp(name), device, new ModelOptions { Activations = activations });
            using var session = model.CreateSession(new SessionOptions { ChunkLength = 33 });
            var logits = new float[ids.Length * model.Config.VocabularySize];
            session.AppendWithLogits(ids, logits);
            first ??= logits;
            Assert.True(first.AsSpan().SequenceEqual(logits), $"{threads} threads differ from one.");
        }
    }

    [Fact]
    public void A_rewound_session_gives_the_same_bits_again()
    {
        using var model = TestModels.Load("tiny64-f32");
        using var session = model.CreateSession();
        float[] expected = Run(session, s_ids);
        session.Rewind(30);
        Run(session, TestModels.RandomIds(90, 320, seed: 8));
        session.Rewind(30);

        Assert.Equal(expected, Run(session, s_ids[30..]));
        Assert.Equal(s_ids.Length, session.Length());
    }

    [Fact]
    public void A_fork_and_its_origin_go_on_alone()
    {
        using var model = TestModels.Load("tiny64-f32");
        int[] other = TestModels.RandomIds(40, 320, seed: 9);
        float[] expectedOrigin = RunAlone(model, [.. s_ids[..70], .. s_ids[70..110]]);
        float[] expectedFork = RunAlone(model, [.. s_ids[..70], .. other]);
        using var session = model.CreateSession();
        session.Append(s_ids.AsSpan(0, 70));

        using var fork = session.Fork();
        float[] forked = Run(fork, other);
        float[] origin = Run(session, s_ids[70..110]);

        Assert.Equal(expectedFork, forked);
        Assert.Equal(expectedOrigin, origin);
    }

    [Fact]
    public void A_fork_outlives_its_origin()
    {
        using var model = TestModels.Load("tiny64-f32");
        var session = model.CreateSession(new SessionOptions { ContextLength = 200 });
        session.Append(s_ids.AsSpan(0, 100));
        using var fork = session.Fork();
        session.Dispose();

        Assert.Equal(RunAlone(model, s_ids), Run(fork, s_ids[100..]));
        Assert.Throws<ObjectDisposedException>(() => session.Append([1]));
    }

    [Fact]
    public void Sequences_of_different_length_in_one_batch_do_not_see_each_other()
    {
        using var model = TestModels.Load("tiny64-f32");
        int[][] texts = [s_ids[..5], s_ids[10..90], s_ids[3..70]];
        using var session = model.CreateSession(new SessionOptions { SequenceCount = 3 });
        for (int i = 0; i < 3; i++) session.Append(texts[i], i);

        session.AppendBatch([11, 12, 13], [0, 1, 2]);

        for (int i = 0; i < 3; i++)
        {
            var logits = new float[model.Config.VocabularySize];
            session.Logits(logits, i);
            Assert.Equal(RunAlone(model, [.. texts[i], 11 + i]), logits);
        }
    }

    [Fact]
    public void A_copied_sequence_shares_pages_until_it_goes_on()
    {
        using var model = TestModels.Load("tiny64-f32");
        using var session = model.CreateSession(new SessionOptions { SequenceCount = 2, ContextLength = 200 });
        session.Append(s_ids.AsSpan(0, 100));
        session.CopySequence(0, 1);

        session.Append([5], 1);
        session.Append([6], 0);

        var logits = new float[model.Config.VocabularySize];
        session.Logits(logits, 0);
        Assert.Equal(RunAlone(model, [.. s_ids[..100], 6]), logits);
        Assert.Equal(101, session.Length(1));
    }

    [Fact]
    public void Embeddings_give_what_their_tokens_give()
    {
        using var model = TestModels.Load("tiny64-f32");
        float[] embeddings = model.Hidden(s_ids, 0);
        using var session = model.CreateSession();
        session.AppendEmbeddings(embeddings);
        var logits = new float[model.Config.VocabularySize];
        session.Logits(logits);

        Assert.Equal(RunAlone(model, s_ids), logits);
    }

    [Fact]
    public void A_plan_that_skips_a_layer_passes_the_stream_on()
    {
        using var model = TestModels.Load("tiny64-f32");
        var probe = new ResidualStreamProbe();
        using var session = model.CreateSession(new SessionOptions { Plan = LayerPlan.RunAll(2).Skip(0), Probe = probe });

        session.Append(s_ids.AsSpan(0, 9));

        Assert.Equal(3, probe.Boundaries.Count);
        Assert.Equal(probe.Boundaries[0], probe.Boundaries[1]);
        Assert.NotEqual(probe.Boundaries[1], probe.Boundaries[2]);
        Assert.Throws<ArgumentException>(() => model.CreateSession(new SessionOptions { Plan = LayerPlan.RunAll(3) }));
        Assert.Throws<ArgumentOutOfRangeException>(() => LayerPlan.RunAll(2).Skip(2));
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        using var model = TestModels.Load("tiny64-f32");
        using var session = model.CreateSession(new SessionOptions { ContextLength = 20 });
        session.Append([1, 2, 3]);

        Assert.Throws<ArgumentOutOfRangeException>(() => session.Append([320]));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Append([-1]));
        Assert.Throws<InvalidOperationException>(() => session.Append(s_ids));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Append([1], sequence: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Rewind(4));
        Assert.Throws<ArgumentException>(() => session.AppendEmbeddings(new float[63]));
        Assert.Throws<ArgumentException>(() => session.Logits(new float[10]));
        Assert.Equal(3, session.Length());
        Assert.Throws<ArgumentException>(() => model.CreateSession(new SessionOptions { KeyFormat = Format.Q4_K }));
    }

    private static float[] RunAlone(Model model, int[] ids)
    {
        using var session = model.CreateSession();
        return Run(session, ids);
    }

    private static float[] Run(Session session, int[] ids)
    {
        session.Append(ids);
        var logits = new float[320];
        session.Logits(logits);
        return logits;
    }
}
