using System.Diagnostics;

namespace FastLayers.Cli.Bench;

/// <summary>
/// Measures a model in this process, with random tokens. Prefill ends with the logits of the last token, each step of a decode with those of
/// every sequence, on the host.
/// </summary>
internal sealed class ModelEngine : IBenchEngine
{
    private readonly Model _model;
    private readonly Session _session;
    private readonly Random _random;
    private readonly float[] _logits;
    private readonly int[] _sequences;

    /// <summary>Makes the session that all cases run in.</summary>
    /// <param name="model">The model; stays the caller's.</param>
    /// <param name="options">Its sequences and their length must hold every case.</param>
    /// <param name="seed">Start of the random tokens.</param>
    public ModelEngine(Model model, SessionOptions options, int seed)
    {
        if (model.Config.IsEncoder) throw new InvalidOperationException($"{model.Config.Architecture} is an encoder: it has no tokens to predict.");
        _model = model;
        _random = new Random(seed);
        _logits = new float[options.SequenceCount * model.Config.VocabularySize];
        _sequences = [.. Enumerable.Range(0, options.SequenceCount)];
        _session = model.CreateSession(options);
    }

    /// <inheritdoc/>
    public string Name => "FastLayers";

    /// <inheritdoc/>
    public BenchSample Run(BenchCase work, CancellationToken cancellation) => Run(work, null, cancellation);

    /// <summary>The same with the device's operations counted in a profile.</summary>
    public BenchSample Run(BenchCase work, DeviceProfile? profile, CancellationToken cancellation)
    {
        // Each sequence gets tokens of its own: a copy would share pages, and a step would then read them once from memory for all.
        for (int sequence = 0; sequence < work.Batch; sequence++) Fill(sequence, work.Depth, cancellation);
        int[] ids = RandomIds((int)work.TokenCount);
        _model.Device.Profile = profile;
        try
        {
            var cpu = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            if (work.Kind == BenchKind.Prefill) Prefill(ids, cancellation);
            else Decode(ids, work.Batch, cancellation);
            return new BenchSample(Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
        }
        finally
        {
            _model.Device.Profile = null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private void Prefill(int[] ids, CancellationToken cancellation)
    {
        _session.Append(ids, cancellation: cancellation);
        _session.Logits(_logits);
    }

    private void Decode(int[] ids, int batch, CancellationToken cancellation)
    {
        var sequences = _sequences.AsSpan(0, batch);
        for (int first = 0; first < ids.Length; first += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            _session.AppendBatch(ids.AsSpan(first, batch), sequences);
            _session.LogitsOfRows(sequences, _logits);
        }
    }

    private void Fill(int sequence, int depth, CancellationToken cancellation)
    {
        if (_session.Length(sequence) > depth) _session.Rewind(depth, sequence);
        _session.Append(RandomIds(depth - _session.Length(sequence)), sequence, cancellation);
    }

    private int[] RandomIds(int count)
    {
        var ids = new int[count];
        for (int i = 0; i < count; i++) ids[i] = _random.Next(_model.Config.VocabularySize);
        return ids;
    }
}
