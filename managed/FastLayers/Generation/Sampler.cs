namespace FastLayers;

/// <summary>
/// Chooses the next token from logits, in this order: penalties for recent tokens, top-k, top-p, min-p, temperature, then a draw. Deterministic
/// for a seed; allocates nothing after it was made. Not for use by several threads at once.
/// </summary>
public sealed class Sampler
{
    private readonly GenerationOptions _options;
    private readonly int[] _ids;
    private readonly float[] _keys;
    private readonly double[] _probabilities;
    private readonly int[] _counts;
    private SplitMix64 _random;

    /// <summary>Creates a sampler.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option that makes no sense, or no vocabulary.</exception>
    public Sampler(GenerationOptions options, int vocabularySize)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        options.Validate();
        _options = options;
        _random = new SplitMix64(options.Seed ?? (ulong)Random.Shared.NextInt64());
        _ids = new int[vocabularySize];
        _keys = new float[vocabularySize];
        _probabilities = new double[vocabularySize];
        _counts = new int[vocabularySize];
    }

    /// <summary>Number of tokens that the latest draw chose among; 1 for a greedy choice.</summary>
    public int CandidateCount { get; private set; }

    /// <summary>Chooses a token.</summary>
    /// <param name="logits">One a vocabulary entry; penalties change them in place. Minus infinity excludes a token.</param>
    /// <param name="recent">The tokens so far; the last <see cref="GenerationOptions.PenaltyWindow"/> count for the penalties.</param>
    /// <exception cref="ArgumentException">The logits are not as many as the vocabulary, or are NaN, plus infinity, or all excluded.</exception>
    public int Sample(Span<float> logits, ReadOnlySpan<int> recent)
    {
        if (logits.Length != _ids.Length) throw new ArgumentException($"{logits.Length} logits for a vocabulary of {_ids.Length}.", nameof(logits));
        Penalize(logits, recent);
        int best = Best(logits);
        if (_options.Temperature == 0)
        {
            CandidateCount = 1;
            return best;
        }

        int count = Candidates(logits, logits[best]);
        count = TopP(count);
        count = MinP(count);
        CandidateCount = count;
        return Draw(count);
    }

    /// <summary>The lowest index of the largest logit.</summary>
    private static int Best(ReadOnlySpan<float> logits)
    {
        int best = -1;
        for (int i = 0; i < logits.Length; i++)
        {
            if (float.IsNaN(logits[i]) || float.IsPositiveInfinity(logits[i])) throw new ArgumentException($"Logit {i} is {logits[i]}.", nameof(logits));
            if (!float.IsNegativeInfinity(logits[i]) && (best < 0 || logits[i] > logits[best])) best = i;
        }

        return best >= 0 ? best : throw new ArgumentException("Every token is excluded.", nameof(logits));
    }

    private void Penalize(Span<float> logits, ReadOnlySpan<int> recent)
    {
        if (_options is { RepetitionPenalty: 1, FrequencyPenalty: 0, PresencePenalty: 0 }) return;
        if (recent.Length > _options.PenaltyWindow) recent = recent[^_options.PenaltyWindow..];
        foreach (int id in recent) _counts[id]++;
        foreach (int id in recent)
        {
            if (_counts[id] == 0) continue;
            logits[id] = logits[id] > 0 ? logits[id] / _options.RepetitionPenalty : logits[id] * _options.RepetitionPenalty;
            logits[id] -= (_counts[id] * _options.FrequencyPenalty) + _options.PresencePenalty;
            _counts[id] = 0;
        }
    }

    /// <summary>
    /// Sorts tokens by descending logit, lowest index first among equals, keeps K, and gives their probabilities at temperature 1 relative to
    /// the best.
    /// </summary>
    private int Candidates(ReadOnlySpan<float> logits, float best)
    {
        int count = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (float.IsNegativeInfinity(logits[i])) continue;
            _ids[count] = i;
            _keys[count++] = -logits[i];
        }

        SortStable(count);
        if (_options.TopK > 0) count = Math.Min(count, _options.TopK);
        for (int i = 0; i < count; i++) _probabilities[i] = Math.Exp(-_keys[i] - best);
        return count;
    }

    private void SortStable(int count)
    {
        Array.Sort(_keys, _ids, 0, count);
        // Runs of equal logits may come out in any order: put the lowest index first.
        for (int start = 0; start < count;)
        {
            int end = start + 1;
            while (end < count && _keys[end] == _keys[start]) end++;
            if (end - start > 1) Array.Sort(_ids, start, end - start);
            start = end;
        }
    }

    private int TopP(int count)
    {
        if (_options.TopP >= 1) return count;
        double limit = _options.TopP * Sum(count);
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += _probabilities[i];
            if (sum >= limit) return i + 1;
        }

        return count;
    }

    private int MinP(int count)
    {
        // Probabilities are relative to the best, which has 1.
        int kept = 1;
        while (kept < count && _probabilities[kept] >= _options.MinP) kept++;
        return kept;
    }

    private int Draw(int count)
    {
        for (int i = 0; i < count; i++) _probabilities[i] = Math.Exp(((double)_keys[0] - _keys[i]) / _options.Temperature);
        double target = _random.NextDouble() * Sum(count);
        for (int i = 0; i < count - 1; i++)
        {
            target -= _probabilities[i];
            if (target < 0) return _ids[i];
        }

        return _ids[count - 1];
    }

    private double Sum(int count)
    {
        double sum = 0;
        for (int i = 0; i < count; i++) sum += _probabilities[i];
        return sum;
    }
}
