using System.Diagnostics;

namespace FastLayers.Peers.LlamaCpp;

/// <summary>A model and a context of llama.cpp, and the two things that are measured with them as <c>llama-bench</c> does.</summary>
internal sealed unsafe class LlamaEngine : IDisposable
{
    /// <summary>Tokens that one forward pass takes at most.</summary>
    private const int MicroBatchLength = 512;

    /// <summary>The context of a sequence is a multiple of this.</summary>
    private const int ContextStep = 256;

    private readonly nint _model;
    private readonly nint _context;
    private readonly nint _pool;
    private readonly int[] _lengths;
    private readonly Random _random;
    private readonly int _vocabulary;
    private readonly int _batchLength;
    private Batch _batch;

    public LlamaEngine(EngineOptions options)
    {
        _lengths = new int[options.Sequences];
        _random = new Random(options.Seed);
        _batchLength = Math.Max(MicroBatchLength, options.Sequences);
        _model = LlamaLibrary.LoadModel(options.Model, LlamaLibrary.DefaultModel());
        if (_model == 0) throw new InvalidDataException($"llama.cpp cannot load {options.Model}.");
        _vocabulary = LlamaLibrary.VocabularySize(LlamaLibrary.Vocabulary(_model));

        var parameters = LlamaLibrary.DefaultContext();
        parameters.ContextLength = (uint)(options.Sequences * ((options.Context + ContextStep - 1) / ContextStep * ContextStep));
        parameters.BatchLength = (uint)_batchLength;
        parameters.MicroBatchLength = (uint)_batchLength;
        parameters.SequenceCount = (uint)options.Sequences;
        parameters.Threads = options.Threads;
        parameters.BatchThreads = options.Threads;
        parameters.KeyType = options.KeyType;
        parameters.ValueType = options.ValueType;
        parameters.FullWindowCache = 0;
        _context = LlamaLibrary.CreateContext(_model, parameters);
        if (_context == 0) throw new InvalidDataException($"llama.cpp cannot make a context for {options.Model} with these cache types and lengths.");

        var pool = default(ThreadPoolParameters);
        LlamaLibrary.InitializeThreadPool(ref pool, options.Threads);
        _pool = LlamaLibrary.CreateThreadPool(ref pool);
        LlamaLibrary.AttachThreadPool(_context, _pool, 0);
        _batch = LlamaLibrary.CreateBatch(_batchLength, 0, 1);
    }

    /// <summary>Runs random tokens behind <paramref name="depth"/> others, with the logits of the last of each pass.</summary>
    public Sample Prefill(int tokens, int depth)
    {
        Fill(0, depth);
        return Measure(() => Append(0, tokens));
    }

    /// <summary>Runs random tokens one by one behind <paramref name="depth"/> others in each of several sequences, with the logits of each.</summary>
    public Sample Decode(int tokens, int depth, int sequences)
    {
        for (int sequence = 0; sequence < sequences; sequence++) Fill(sequence, depth);
        return Measure(() =>
        {
            for (int step = 0; step < tokens; step++)
            {
                _batch.Count = 0;
                for (int sequence = 0; sequence < sequences; sequence++) Add(sequence, wantsLogits: true);
                Run();
            }
        });
    }

    public void Dispose()
    {
        LlamaLibrary.FreeBatch(_batch);
        LlamaLibrary.FreeContext(_context);
        LlamaLibrary.FreeThreadPool(_pool);
        LlamaLibrary.FreeModel(_model);
    }

    /// <summary>
    /// Measures what the process computes meanwhile. Afterwards the workers sleep: they would otherwise poll for a tenth of a second, in the
    /// time of whoever is measured next.
    /// </summary>
    private Sample Measure(Action run)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        run();
        var wall = Stopwatch.GetElapsedTime(start);
        var used = Environment.CpuUsage.TotalTime - cpu;
        LlamaLibrary.PauseThreadPool(_pool);
        return new Sample(wall, used);
    }

    private void Fill(int sequence, int depth)
    {
        if (_lengths[sequence] > depth)
        {
            if (LlamaLibrary.RemoveTokens(LlamaLibrary.Memory(_context), sequence, depth, -1) == 0) throw new InvalidOperationException($"llama.cpp cannot rewind sequence {sequence} to {depth} tokens.");
            _lengths[sequence] = depth;
        }

        Append(sequence, depth - _lengths[sequence]);
    }

    private void Append(int sequence, int tokens)
    {
        while (tokens > 0)
        {
            int count = Math.Min(tokens, _batchLength);
            _batch.Count = 0;
            for (int i = 0; i < count; i++) Add(sequence, wantsLogits: i == count - 1);
            Run();
            tokens -= count;
        }
    }

    private void Add(int sequence, bool wantsLogits)
    {
        int row = _batch.Count++;
        _batch.Tokens[row] = _random.Next(_vocabulary);
        _batch.Positions[row] = _lengths[sequence]++;
        _batch.SequenceCounts[row] = 1;
        _batch.Sequences[row][0] = sequence;
        _batch.Outputs[row] = wantsLogits ? (byte)1 : (byte)0;
    }

    private void Run()
    {
        int code = LlamaLibrary.Decode(_context, _batch);
        if (code != 0) throw new InvalidOperationException($"llama_decode of {_batch.Count} tokens failed with code {code}.");
        LlamaLibrary.Synchronize(_context);
    }
}

/// <summary>What a run took.</summary>
internal readonly record struct Sample(TimeSpan Wall, TimeSpan Cpu);
