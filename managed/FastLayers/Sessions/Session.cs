using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;

namespace FastLayers;

/// <summary>
/// One or more sequences being run through a model: their keys and values, their lengths, the plan in force and the probe attached. Not for
/// use by several threads at once; that includes a session and its forks, which share memory.
/// </summary>
public sealed class Session : IDisposable
{
    private readonly Transformer _transformer;
    private readonly KvPool _pool;
    private readonly SequencePages _pages;
    private readonly ForwardState _state;
    private readonly LayerPlan _plan;
    private readonly int[] _sequences;
    private readonly int[] _positions;
    private readonly int[] _windowStart;
    private readonly int[] _end;
    private readonly int[] _lastRow;
    private int _batchRows;
    private bool _disposed;

    internal Session(Transformer transformer, SessionOptions options, Session? parent = null)
    {
        var config = transformer.Config;
        Options = options;
        ContextLength = options.ContextLength > 0 ? options.ContextLength : Math.Min(config.ContextLength, SessionOptions.DefaultContextLimit);
        Validate(transformer, options, ContextLength);
        options.Plan?.Validate(config, transformer.Weights);
        _transformer = transformer;
        _plan = options.Plan ?? LayerPlan.RunAll(config.LayerCount);
        Probe = options.Probe;

        int rows = config.IsEncoder ? ContextLength : (int)Math.Min(options.ChunkLength, (long)ContextLength * options.SequenceCount);
        if (parent is null)
        {
            _pool = new KvPool(transformer, options.KeyFormat, options.ValueFormat, options.SequenceCount * SequencePages.PagesFor(ContextLength));
        }
        else
        {
            _pool = parent._pool.AddUser();
        }

        try
        {
            var (rotary, local) = transformer.RotaryFor(ContextLength);
            _pages = new SequencePages(_pool, options.SequenceCount, ContextLength);
            _state = new ForwardState(transformer, rows, Math.Min(rows, MaximumLogitRows), rotary, local);
        }
        catch
        {
            _pool.Dispose();
            throw;
        }

        _sequences = new int[rows];
        _positions = new int[rows];
        _windowStart = new int[rows];
        _end = new int[rows];
        _lastRow = new int[options.SequenceCount];
        Array.Fill(_lastRow, -1);
    }

    /// <summary>Rows of logits that are computed at a time, to bound their memory at large vocabularies.</summary>
    private const int MaximumLogitRows = 32;

    /// <summary>Pages of the cache that their numbers, 32 bit, and the doubling of the pool allow.</summary>
    private const int MaximumPages = 1 << 28;

    /// <summary>The options that the session was made with.</summary>
    public SessionOptions Options { get; }

    /// <summary>Tokens a sequence can hold.</summary>
    public int ContextLength { get; }

    /// <summary>The probe attached, or null; may be changed between calls.</summary>
    public LayerProbe? Probe { get; set; }

    /// <summary>Bytes of the key/value memory, shared with forks.</summary>
    public long CacheBytes => _pool.ByteLength;

    /// <summary>Tokens that one forward pass takes at most.</summary>
    public int ChunkLength => _state.Rows;

    /// <summary>Tokens in a sequence.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The sequence does not exist.</exception>
    public int Length(int sequence = 0) => _pages.Length(Checked(sequence));

    /// <summary>Runs tokens behind those of a sequence, in chunks if they are many.</summary>
    /// <param name="ids">The tokens.</param>
    /// <param name="sequence">The sequence.</param>
    /// <param name="cancellation">Looked at between layers; chunks that ran to their end stay, a started one is taken back.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id outside the vocabulary, or a sequence that does not exist.</exception>
    /// <exception cref="InvalidOperationException">The context is full.</exception>
    public void Append(ReadOnlySpan<int> ids, int sequence = 0, CancellationToken cancellation = default)
    {
        Reserve(ids.Length, sequence);
        CheckIds(ids);
        while (!ids.IsEmpty)
        {
            int count = Math.Min(ids.Length, _state.Rows);
            _transformer.EmbedTokens(_state, ids[..count]);
            BeginBatch(count, sequence);
            RunBatch(cancellation);
            ids = ids[count..];
        }
    }

    /// <summary>Runs one token for each of several sequences in one forward pass: a decode step of a batch.</summary>
    /// <param name="ids">One token a row.</param>
    /// <param name="sequences">The sequence of each row; several rows of one sequence follow each other.</param>
    /// <exception cref="ArgumentException">The lengths differ, or there are more rows than <see cref="ChunkLength"/>.</exception>
    public void AppendBatch(ReadOnlySpan<int> ids, ReadOnlySpan<int> sequences)
    {
        if (ids.Length != sequences.Length) throw new ArgumentException($"{ids.Length} tokens for {sequences.Length} sequences.", nameof(sequences));
        if (ids.Length > _state.Rows) throw new ArgumentException($"{ids.Length} rows, a pass takes {_state.Rows}.", nameof(ids));
        CheckIds(ids);
        for (int sequence = 0; sequence < Options.SequenceCount; sequence++) Reserve(sequences.Count(sequence), sequence);
        foreach (int sequence in sequences) Checked(sequence);
        if (ids.IsEmpty) return;
        _transformer.EmbedTokens(_state, ids);
        Array.Fill(_lastRow, -1);
        for (int row = 0; row < ids.Length; row++) AddRow(row, sequences[row]);
        FinishRows(ids.Length);
        RunBatch();
    }

    /// <summary>Runs embeddings in place of tokens, as from an image encoder or a soft prompt; they are not scaled.</summary>
    /// <param name="embeddings">Token embeddings [rows, embedding width].</param>
    /// <param name="sequence">The sequence.</param>
    /// <exception cref="ArgumentException">The values do not divide into rows.</exception>
    public void AppendEmbeddings(ReadOnlySpan<float> embeddings, int sequence = 0)
    {
        int width = _transformer.Weights.EmbeddingWidth;
        if (embeddings.Length % width != 0) throw new ArgumentException($"{embeddings.Length} values are no rows of {width}.", nameof(embeddings));
        Reserve(embeddings.Length / width, sequence);
        while (!embeddings.IsEmpty)
        {
            int count = Math.Min(embeddings.Length / width, _state.Rows);
            _transformer.Device.Write(_state.Residual, 0, embeddings[..(count * width)]);
            BeginBatch(count, sequence);
            RunBatch();
            embeddings = embeddings[(count * width)..];
        }
    }

    /// <summary>Logits after the last token of a sequence that the latest call ran.</summary>
    /// <param name="logits">Receives one value a vocabulary entry.</param>
    /// <param name="sequence">The sequence.</param>
    /// <exception cref="InvalidOperationException">The latest call ran no token of the sequence, or the model is an encoder.</exception>
    public void Logits(Span<float> logits, int sequence = 0)
    {
        int row = _lastRow[Checked(sequence)];
        if (row < 0) throw new InvalidOperationException($"The latest forward pass ran no token of sequence {sequence}.");
        LogitsOfRows([row], logits);
    }

    /// <summary>Logits after chosen rows of the latest forward pass.</summary>
    /// <param name="rows">Rows of the pass, from 0.</param>
    /// <param name="logits">Receives [rows, vocabulary].</param>
    /// <exception cref="ArgumentException">The destination is too small, or a row was not in the pass.</exception>
    public void LogitsOfRows(ReadOnlySpan<int> rows, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int vocabulary = CheckLogits(rows.Length, logits);
        CheckRows(rows);
        for (int start = 0; start < rows.Length; start += _state.LogitRows)
        {
            int count = Math.Min(_state.LogitRows, rows.Length - start);
            _transformer.SelectRows(_state, rows.Slice(start, count));
            _transformer.Logits(_state, count);
            _transformer.Device.Read(_state.Logits, 0, logits.Slice(start * vocabulary, count * vocabulary));
        }
    }

    /// <summary>Runs tokens and gives the logits after each.</summary>
    /// <param name="ids">The tokens.</param>
    /// <param name="logits">Receives [tokens, vocabulary].</param>
    /// <param name="sequence">The sequence.</param>
    /// <param name="cancellation">Looked at between layers; chunks that ran to their end stay, a started one is taken back.</param>
    /// <exception cref="ArgumentException">The destination is too small.</exception>
    /// <exception cref="InvalidOperationException">The context is full, or the model is an encoder.</exception>
    public void AppendWithLogits(ReadOnlySpan<int> ids, Span<float> logits, int sequence = 0, CancellationToken cancellation = default)
    {
        Reserve(ids.Length, sequence);
        CheckIds(ids);
        int vocabulary = CheckLogits(ids.Length, logits);
        while (!ids.IsEmpty)
        {
            int count = Math.Min(ids.Length, _state.Rows);
            Append(ids[..count], sequence, cancellation);
            LogitsOfRows(AllRows(count), logits[..(count * vocabulary)]);
            ids = ids[count..];
            logits = logits[(count * vocabulary)..];
        }
    }

    /// <summary>The final hidden states, after the last norm, of chosen rows of the latest forward pass.</summary>
    /// <param name="rows">Rows of the pass, from 0.</param>
    /// <param name="hidden">Receives [rows, width].</param>
    public void HiddenOfRows(ReadOnlySpan<int> rows, Span<float> hidden)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        CheckRows(rows);
        int width = _transformer.Config.Width;
        for (int start = 0; start < rows.Length; start += _state.LogitRows)
        {
            int count = Math.Min(_state.LogitRows, rows.Length - start);
            _transformer.SelectRows(_state, rows.Slice(start, count));
            _transformer.Device.Read(_state.Selected, 0, hidden.Slice(start * width, count * width));
        }
    }

    /// <summary>Forgets the tokens of a sequence from position <paramref name="length"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The sequence is shorter than that.</exception>
    public void Rewind(int length, int sequence = 0)
    {
        Checked(sequence);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length(sequence));
        _pages.Rewind(sequence, length);
        _lastRow[sequence] = -1;
    }

    /// <summary>Makes sequence <paramref name="target"/> a copy of <paramref name="source"/>; memory is shared until one of them goes on.</summary>
    public void CopySequence(int source, int target)
    {
        Checked(source);
        Checked(target);
        if (source == target) return;
        Rewind(0, target);
        _pages.ShareFrom(_pages, source, target);
    }

    /// <summary>A session with the same sequences that goes its own way; memory is shared until one of them goes on.</summary>
    public Session Fork()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var fork = new Session(_transformer, Options with { ContextLength = ContextLength, Probe = null }, this);
        for (int sequence = 0; sequence < Options.SequenceCount; sequence++) fork._pages.ShareFrom(_pages, sequence, sequence);
        return fork;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        for (int sequence = 0; sequence < Options.SequenceCount; sequence++) _pages.Rewind(sequence, 0);
        _state.Dispose();
        _pool.Dispose();
    }

    private static void Validate(Transformer transformer, SessionOptions options, int contextLength)
    {
        var config = transformer.Config;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.SequenceCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.ChunkLength);
        ArgumentOutOfRangeException.ThrowIfNegative(options.ContextLength);
        RequireFormat(options.KeyFormat, nameof(SessionOptions.KeyFormat), layer => layer.KeySize);
        RequireFormat(options.ValueFormat, nameof(SessionOptions.ValueFormat), layer => layer.ValueSize);
        if (!transformer.Device.SupportsCache(options.KeyFormat, options.ValueFormat))
            throw new ArgumentException($"{transformer.Device.Name} cannot store keys as {options.KeyFormat.Name} and values as {options.ValueFormat.Name}.", nameof(options));
        if (config.Rotary is null && contextLength > config.ContextLength)
            throw new ArgumentException($"The model has {config.ContextLength} learned positions; a context of {contextLength} does not fit.", nameof(options));
        if ((long)SequencePages.PagesFor(contextLength) * options.SequenceCount is var pages and > MaximumPages)
            throw new ArgumentException($"{options.SequenceCount} sequences of {contextLength} tokens take {pages} pages; at most {MaximumPages} can be numbered.", nameof(options));

        void RequireFormat(Format format, string name, Func<LayerWeights, int> size)
        {
            if (format is null) throw new ArgumentException($"{name} is null; keys and values are stored as f32, f16, q8_0 or q4_0.", nameof(options));
            if (!CachedRow.Supports(format)) throw new ArgumentException($"{name} is {format.Name}; keys and values are stored as f32, f16, q8_0 or q4_0.", nameof(options));
            for (int layer = 0; layer < transformer.Weights.Layers.Count; layer++)
            {
                if (size(transformer.Weights.Layers[layer]) is var values && values % format.BlockLength != 0)
                    throw new ArgumentException($"{name} {format.Name} stores blocks of {format.BlockLength} values; the heads of layer {layer} have {values}.", nameof(options));
            }
        }
    }

    private void BeginBatch(int count, int sequence)
    {
        Array.Fill(_lastRow, -1);
        for (int row = 0; row < count; row++) AddRow(row, sequence);
        FinishRows(count);
    }

    private void AddRow(int row, int sequence)
    {
        int position = _pages.Append(sequence);
        int window = _transformer.Config.Attention.Window;
        _sequences[row] = sequence;
        _positions[row] = position;
        _windowStart[row] = window > 0 ? Math.Max(0, position - window + 1) : 0;
        _lastRow[sequence] = row;
    }

    private void FinishRows(int count)
    {
        _batchRows = count;
        bool causal = _transformer.Config.Attention.Causal;
        for (int row = 0; row < count; row++) _end[row] = causal ? _positions[row] + 1 : _pages.Length(_sequences[row]);
    }

    /// <summary>Runs the batch. If that fails, as through a probe that throws, the batch's tokens are taken back.</summary>
    private void RunBatch(CancellationToken cancellation = default)
    {
        var batch = new BatchRows
        {
            Sequences = _sequences.AsSpan(0, _batchRows),
            Positions = _positions.AsSpan(0, _batchRows),
            WindowStart = _windowStart.AsSpan(0, _batchRows),
            End = _end.AsSpan(0, _batchRows),
            PageTable = _pages.Table,
            PagesPerSequence = _pages.PagesPerSequence,
        };
        try
        {
            _transformer.RunBlocks(_state, batch, _pool, _plan, Probe, cancellation);
        }
        catch
        {
            TakeBackBatch();
            throw;
        }
    }

    /// <summary>Makes the sequences as long as before the batch, whose keys and values may be half written.</summary>
    private void TakeBackBatch()
    {
        for (int row = _batchRows - 1; row >= 0; row--) _pages.Rewind(_sequences[row], _positions[row]);
        Array.Fill(_lastRow, -1);
        _batchRows = 0;
    }

    private void Reserve(int count, int sequence)
    {
        int length = Length(sequence);
        if (length + (long)count > ContextLength)
            throw new InvalidOperationException($"The context holds {ContextLength} tokens; {length} are there and {count} more do not fit.");
        if (_transformer.Config.IsEncoder && count > 0 && length > 0)
            throw new InvalidOperationException("An encoder sees a sequence as a whole: rewind it to 0 before the next text.");
    }

    /// <summary>Checks that logits exist and fit, and gives the length of a row of them.</summary>
    private int CheckLogits(int rows, ReadOnlySpan<float> logits)
    {
        int vocabulary = _transformer.Weights.Output?.Outputs ?? throw new InvalidOperationException($"{_transformer.Config.Architecture} is an encoder: it has no logits.");
        if (logits.Length < (long)rows * vocabulary) throw new ArgumentException($"{rows} x {vocabulary} logits do not fit {logits.Length} values.", nameof(logits));
        return vocabulary;
    }

    private int Checked(int sequence)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sequence, Options.SequenceCount);
        return sequence;
    }

    private void CheckIds(ReadOnlySpan<int> ids)
    {
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)_transformer.Config.VocabularySize)
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"Token ids are 0 to {_transformer.Config.VocabularySize - 1}.");
        }
    }

    private void CheckRows(ReadOnlySpan<int> rows)
    {
        foreach (int row in rows)
        {
            if ((uint)row >= (uint)_batchRows) throw new ArgumentException($"Row {row} was not in the latest forward pass of {_batchRows} rows.", nameof(rows));
        }
    }

    private static int[] AllRows(int count) => [.. Enumerable.Range(0, count)];
}
