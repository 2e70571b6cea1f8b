using FastLayers.Synthesis;
using FastLayers.Tests.Loading;

namespace FastLayers.Tests.Sessions;

/// <summary>What goes wrong in a session leaves it, the model and the memory as they were.</summary>
public class SessionMisuseTests
{
    private static readonly int[] s_ids = TestModels.RandomIds(60, 320, seed: 17);

    [Fact]
    public void A_pass_that_a_probe_ends_leaves_no_token_behind()
    {
        using var model = TestModels.Load("tiny64-f32");
        using var session = model.CreateSession(new SessionOptions { SequenceCount = 2 });
        session.Append(s_ids.AsSpan(0, 20));
        session.Append(s_ids.AsSpan(0, 5), 1);
        session.Probe = new ThrowingProbe();

        Assert.Throws<OperationCanceledException>(() => session.Append(s_ids.AsSpan(20, 10)));
        Assert.Throws<OperationCanceledException>(() => session.AppendBatch([1, 2, 3], [1, 0, 1]));
        Assert.Throws<OperationCanceledException>(() => session.AppendEmbeddings(new float[64 * 3]));

        Assert.Equal((20, 5), (session.Length(0), session.Length(1)));
        var logits = new float[model.Config.VocabularySize];
        Assert.Throws<InvalidOperationException>(() => session.Logits(logits));
        Assert.Throws<ArgumentException>(() => session.LogitsOfRows([0], logits));
        session.Probe = null;
        session.Append(s_ids.AsSpan(20));
        session.Logits(logits);
        Assert.Equal(RunAlone(model), logits);
    }

    [Fact]
    public void Cancellation_ends_a_pass_between_layers()
    {
        using var model = TestModels.Load("tiny64-f32");
        using var cancellation = new CancellationTokenSource();
        var probe = new CancelingProbe(cancellation);
        using var session = model.CreateSession(new SessionOptions { ChunkLength = 25 });
        session.Append(s_ids.AsSpan(0, 3));
        session.Probe = probe;

        Assert.Throws<OperationCanceledException>(() => session.Append(s_ids, cancellation: cancellation.Token));

        Assert.Equal(2, probe.Passes);
        Assert.Equal(1, probe.LayersOfLastPass);
        Assert.Equal(28, session.Length());
        Assert.Throws<OperationCanceledException>(() => session.Append([1], cancellation: cancellation.Token));
        Assert.Equal(28, session.Length());
    }

    [Fact]
    public void Logits_that_do_not_fit_are_refused_before_a_token_runs()
    {
        using var model = TestModels.Load("tiny64-f32");
        using var session = model.CreateSession();

        Assert.Throws<ArgumentException>(() => session.AppendWithLogits([1, 2, 3], new float[2 * 320]));

        Assert.Equal(0, session.Length());
    }

    [Theory]
    [InlineData(int.MaxValue, 1)]
    [InlineData(1 << 20, 1 << 20)]
    [InlineData(512, int.MaxValue)]
    public void A_context_beyond_what_can_be_numbered_is_refused(int contextLength, int sequences)
    {
        using var model = TestModels.Load("tiny64-f32");
        var exception = Assert.ThrowsAny<Exception>(() => model.CreateSession(new SessionOptions { ContextLength = contextLength, SequenceCount = sequences }));
        Assert.True(exception is ArgumentException or OutOfMemoryException, exception.ToString());
    }

    [Fact]
    public void Options_that_are_null_or_default_are_named()
    {
        using var model = TestModels.Load("tiny64-f32");
        Assert.Contains("KeyFormat", Assert.Throws<ArgumentException>(() => model.CreateSession(new SessionOptions { KeyFormat = null! })).Message, StringComparison.Ordinal);
        Assert.Contains("ValueFormat", Assert.Throws<ArgumentException>(() => model.CreateSession(new SessionOptions { ValueFormat = null! })).Message, StringComparison.Ordinal);
        Assert.Contains("Layers", Assert.Throws<ArgumentException>(() => LayerPlan.RunAll(2) with { Layers = default }).Message, StringComparison.Ordinal);
        Assert.Contains("Layers", Assert.Throws<ArgumentException>(() => LayerPlan.RunAll(2) with { Layers = [new LayerStep(), null!] }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_session_of_a_disposed_model_says_so()
    {
        var model = TestModels.Load("tiny64-Q4_0");
        using var session = model.CreateSession();
        session.Append([1]);
        model.Dispose();
        model.Dispose();

        Assert.Throws<ObjectDisposedException>(() => session.Append([2]));
        Assert.Throws<ObjectDisposedException>(() => session.Logits(new float[model.Config.VocabularySize]));
        Assert.Throws<ObjectDisposedException>(() => model.Logits([1]));
    }

    [Fact]
    public void Experts_of_a_disposed_model_say_so()
    {
        string path = Path.GetTempFileName();
        try
        {
            SyntheticModel.Write(path, SyntheticModelOptions.Parse("layers=1,experts=4,experts-used=2", "qwen3moe", "q8_0", 1));
            var model = Model.Load(path);
            var session = model.CreateSession();
            model.Dispose();
            Assert.Throws<ObjectDisposedException>(() => session.Append([1]));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_plan_may_not_skip_the_layer_that_widens_the_stream()
    {
        string path = Path.GetTempFileName() + ".safetensors";
        try
        {
            SafetensorsModel.WriteUseLite(path);
            using var model = Model.Load(path);
            Assert.Equal(4, model.Embed([1, 2, 3]).Length);
            var plan = LayerPlan.RunAll(2);
            using var session = model.CreateSession(new SessionOptions { Plan = plan.Skip(1) });
            session.Append([1, 2, 3]);

            var exception = Assert.Throws<ArgumentException>(() => model.CreateSession(new SessionOptions { Plan = plan.Skip(0) }));
            Assert.Contains("Layer 0", exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_disposed_session_refuses_everything()
    {
        using var model = TestModels.Load("tiny64-f32");
        var session = model.CreateSession();
        session.Append([1, 2]);
        session.Dispose();
        session.Dispose();

        Assert.Throws<ObjectDisposedException>(() => session.Append([1]));
        Assert.Throws<ObjectDisposedException>(() => session.Append([]));
        Assert.Throws<ObjectDisposedException>(() => session.AppendBatch([1], [0]));
        Assert.Throws<ObjectDisposedException>(() => session.AppendEmbeddings(new float[64]));
        Assert.Throws<ObjectDisposedException>(() => session.Logits(new float[320]));
        Assert.Throws<ObjectDisposedException>(() => session.LogitsOfRows([0], new float[320]));
        Assert.Throws<ObjectDisposedException>(() => session.HiddenOfRows([0], new float[64]));
        Assert.Throws<ObjectDisposedException>(() => session.Rewind(0));
        Assert.Throws<ObjectDisposedException>(() => session.CopySequence(0, 0));
        Assert.Throws<ObjectDisposedException>(session.Fork);
        Assert.Throws<ObjectDisposedException>(() => session.Length());
    }

    [Theory]
    [InlineData("tiny64-f32", ActivationPrecision.Float32)]
    [InlineData("tiny256-Q4_K_M", ActivationPrecision.Int8)]
    public void Sessions_on_several_threads_do_not_disturb_each_other(string name, ActivationPrecision activations)
    {
        using var model = TestModels.Load(name, activations);
        float[][] expected = [.. Enumerable.Range(0, 4).Select(i => Greedy(model, i))];
        var actual = new float[4][];
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => actual[i] = Greedy(model, i));
        Assert.Equal(expected, actual);
    }

    private static float[] RunAlone(Model model)
    {
        using var session = model.CreateSession();
        session.Append(s_ids.AsSpan(0, 20));
        session.Append(s_ids.AsSpan(20));
        var logits = new float[model.Config.VocabularySize];
        session.Logits(logits);
        return logits;
    }

    private static float[] Greedy(Model model, int seed)
    {
        using var session = model.CreateSession();
        var logits = new float[model.Config.VocabularySize];
        session.Append(TestModels.RandomIds(7 + (11 * seed), 288, seed));
        for (int i = 0; i < 20; i++)
        {
            session.Logits(logits);
            session.Append([Array.IndexOf(logits, logits.Max())]);
        }

        session.Logits(logits);
        return logits;
    }

    [Fact]
    public void Contexts_that_grow_do_not_fill_the_memory_with_tables()
    {
        using var model = TestModels.Load("tiny64-f32");
        int longest = model.Config.ContextLength;
        for (int i = 1; i <= 40; i++) model.CreateSession(new SessionOptions { ContextLength = longest + (65 * i) }).Dispose();
        Assert.InRange(model.RotaryTableCount, 1, 8);
    }

    /// <summary>Cancels in the first layer of the second pass.</summary>
    private sealed class CancelingProbe(CancellationTokenSource source) : LayerProbe
    {
        public int Passes { get; private set; }

        public int LayersOfLastPass { get; private set; }

        public override void BlockInput(in ProbePoint point)
        {
            if (point.Layer > 0)
            {
                LayersOfLastPass++;
                return;
            }

            LayersOfLastPass = 1;
            if (++Passes == 2) source.Cancel();
        }
    }

    private sealed class ThrowingProbe : LayerProbe
    {
        public override void AfterAttention(in ProbePoint point) => throw new OperationCanceledException();
    }
}
