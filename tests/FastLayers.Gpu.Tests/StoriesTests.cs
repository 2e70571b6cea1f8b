using FastLayers.Kernels.Formats;

namespace FastLayers.Gpu.Tests;

/// <summary>The sample model, unchanged, on every device: the same tokens and logits as on the processor.</summary>
public sealed class StoriesTests
{
    private const int Tokens = 64;
    private const double LogitTolerance = 1e-3;

    /// <summary>A key or value that differs in its last float bit can round to the next half, 5e-4 of it away.</summary>
    private const double LogitToleranceOfHalves = 1e-2;

    private static readonly string s_path = Path.Combine(AppContext.BaseDirectory, "samples", "stories260K.gguf");

    public static IEnumerable<TheoryDataRow<string, string>> Cases =>
        from device in TestDevices.Gpus from cache in new[] { "f32", "f16" } select new TheoryDataRow<string, string>(device.Data, cache);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Greedy_tokens_and_logits_equal_those_of_the_processor(string name, string cache)
    {
        using var device = TestDevices.Open(name);
        Assert.True(Format.TryParse(cache, out var format));
        using var expected = new Run(Device.Cpu, format);
        using var actual = new Run(device, format);

        for (int i = 0; i < Tokens; i++)
        {
            Assert.InRange(Difference.Largest(expected.Logits, actual.Logits), 0, format == Format.F32 ? LogitTolerance : LogitToleranceOfHalves);
            Assert.Equal(expected.Next, actual.Next);
            expected.Advance();
            actual.Advance();
        }
    }

    private sealed class Run : IDisposable
    {
        private readonly Model _model;
        private readonly Session _session;

        public Run(Device device, Format cache)
        {
            _model = Model.Load(s_path, device, new ModelOptions { Activations = ActivationPrecision.Float32 });
            _session = _model.CreateSession(new SessionOptions { KeyFormat = cache, ValueFormat = cache });
            Logits = new float[_model.Config.VocabularySize];
            Append(_model.Tokenizer!.Encode("Once upon a time"));
        }

        public float[] Logits { get; }

        public int Next => Array.IndexOf(Logits, Logits.Max());

        public void Advance() => Append([Next]);

        private void Append(ReadOnlySpan<int> ids)
        {
            _session.Append(ids);
            _session.Logits(Logits);
        }

        public void Dispose()
        {
            _session.Dispose();
            _model.Dispose();
        }
    }
}
