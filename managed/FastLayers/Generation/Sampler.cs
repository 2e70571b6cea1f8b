using System.Numerics;
using FastLayers.Kernels.Selection;

namespace FastLayers;

/// <summary>
/// Chooses the next token from logits, in this order: penalties for recent tokens, top-k, top-p, min-p, temperature, then a draw. Deterministic
/// for a seed; allocates nothing after it was made. Not for use by several threads at once.
/// </summary>
public sealed class Sampler
{
    private readonly GenerationOptions _options;
    private readonly int[] _ids;
    private readonly float[] _topValues;
    private readonly ulong[] _order;
    private readonly double[] _shares;
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
        bool isTopK = options.TopK > 0 && options.TopK < vocabularySize;
        _ids = new int[vocabularySize];
        _topValues = new float[isTopK ? options.TopK : 0];
        _order = new ulong[isTopK ? 0 : vocabularySize];
        _shares = new double[vocabularySize];
        _counts = new int[vocabularySize];
    }

    /// <summary>Number of tokens that the latest draw chose among; 1 for a greedy choice.</summary>
    public int CandidateCount { get; private set; }

    /// <summary>Chooses a token: at temperature 0 the most likely, the lowest id among equals.</summary>
    /// <param name="logits">One a vocabulary entry; penalties change them in place. Minus infinity excludes a token.</param>
    /// <param name="recent">The tokens so far; the last <see cref="GenerationOptions.PenaltyWindow"/> count for the penalties.</param>
    /// <exception cref="ArgumentException">The logits are not as many as the vocabulary, or are NaN, plus infinity, or all excluded.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A recent token is outside the vocabulary.</exception>
    public int Sample(Span<float> logits, ReadOnlySpan<int> recent)
    {
        if (logits.Length != _ids.Length) throw new ArgumentException($"{logits.Length} logits for a vocabulary of {_ids.Length}.", nameof(logits));
        Penalize(logits, recent);
        CheckValues(logits);
        int best = ArgMax.Row(logits);
        if (float.IsInfinity(logits[best]))
            throw new ArgumentException(logits[best] > 0 ? $"Logit {best} is plus infinity." : "Every token is excluded.", nameof(logits));
        if (_options.Temperature == 0)
        {
            CandidateCount = 1;
            return best;
        }

        int count = _topValues.Length > 0 ? TopK(logits, logits[best], out double sum) : All(logits, logits[best], out sum);
        count = TopP(count, sum);
        count = MinP(count);
        CandidateCount = count;
        return Draw(logits, logits[best], count);
    }

    private void Penalize(Span<float> logits, ReadOnlySpan<int> recent)
    {
        if (_options is { RepetitionPenalty: 1, FrequencyPenalty: 0, PresencePenalty: 0 }) return;
        if (recent.Length > _options.PenaltyWindow) recent = recent[^_options.PenaltyWindow..];
        foreach (int id in recent)
        {
            if ((uint)id >= (uint)logits.Length) throw new ArgumentOutOfRangeException(nameof(recent), id, $"Token ids are 0 to {logits.Length - 1}.");
        }

        foreach (int id in recent) _counts[id]++;
        foreach (int id in recent)
        {
            if (_counts[id] == 0) continue;
            logits[id] = logits[id] > 0 ? logits[id] / _options.RepetitionPenalty : logits[id] * _options.RepetitionPenalty;
            logits[id] -= (_counts[id] * _options.FrequencyPenalty) + _options.PresencePenalty;
            _counts[id] = 0;
        }
    }

    /// <summary>Refuses NaN: it is neither above nor below any number, so no choice would be right.</summary>
    private static void CheckValues(ReadOnlySpan<float> logits)
    {
        var ordered = Vector<int>.AllBitsSet;
        int i = 0;
        for (; i <= logits.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var values = new Vector<float>(logits[i..]);
            ordered &= Vector.Equals(values, values);
        }

        bool isOrdered = Vector.EqualsAll(ordered, Vector<int>.AllBitsSet);
        for (; i < logits.Length; i++) isOrdered &= !float.IsNaN(logits[i]);
        if (isOrdered) return;
        for (i = 0; !float.IsNaN(logits[i]); i++)
        {
        }

        throw new ArgumentException($"Logit {i} is NaN.", nameof(logits));
    }

    /// <summary>The K most likely tokens in falling order and their shares: probabilities at temperature 1 relative to the most likely.</summary>
    private int TopK(ReadOnlySpan<float> logits, float best, out double sum)
    {
        int count = Kernels.Selection.TopK.Row(logits, _ids.AsSpan(0, _topValues.Length), _topValues);
        while (float.IsNegativeInfinity(_topValues[count - 1])) count--;
        sum = 0;
        for (int i = 0; i < count; i++) sum += _shares[i] = Math.Exp((double)_topValues[i] - best);
        return count;
    }

    /// <summary>
    /// As <see cref="TopK"/> for the whole vocabulary; <paramref name="sum"/> is over all of it. What min-p will drop is left out before the
    /// sort, which decides the time of large vocabularies, and the order is left alone where nothing asks for it.
    /// </summary>
    private int All(ReadOnlySpan<float> logits, float best, out double sum)
    {
        int count = 0;
        sum = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            if (float.IsNegativeInfinity(logits[id])) continue;
            double share = Math.Exp((double)logits[id] - best);
            sum += share;
            if (share < _options.MinP) continue;
            _order[count] = SortKey(logits[id], id);
            count++;
        }

        if (_options.TopP < 1) _order.AsSpan(0, count).Sort();
        for (int i = 0; i < count; i++)
        {
            _ids[i] = (int)(uint)_order[i];
            _shares[i] = Math.Exp((double)logits[_ids[i]] - best);
        }

        return count;
    }

    /// <summary>Rises where the logit falls, and with the id among equal logits.</summary>
    private static ulong SortKey(float logit, int id)
    {
        // Adding 0 makes −0 and 0 one. The bits of floats rise with positive values and fall with negative ones.
        uint bits = BitConverter.SingleToUInt32Bits(logit + 0f);
        uint rising = (bits & 0x8000_0000) == 0 ? bits | 0x8000_0000 : ~bits;
        return ((ulong)~rising << 32) | (uint)id;
    }

    /// <summary>The fewest first candidates whose shares come to <see cref="GenerationOptions.TopP"/> of the sum.</summary>
    private int TopP(int count, double sum)
    {
        if (_options.TopP >= 1) return count;
        double limit = _options.TopP * sum;
        double reached = 0;
        for (int i = 0; i < count; i++)
        {
            reached += _shares[i];
            if (reached >= limit) return i + 1;
        }

        return count;
    }

    /// <summary>Drops the candidates at the end whose share is too small. Candidates without an order have no such share.</summary>
    private int MinP(int count)
    {
        while (_shares[count - 1] < _options.MinP) count--;
        return count;
    }

    private int Draw(ReadOnlySpan<float> logits, float best, int count)
    {
        double sum = 0;
        for (int i = 0; i < count; i++) sum += _shares[i] = Math.Exp(((double)logits[_ids[i]] - best) / _options.Temperature);
        double target = _random.NextDouble() * sum;
        for (int i = 0; i < count - 1; i++)
        {
            target -= _shares[i];
            if (target < 0) return _ids[i];
        }

        return _ids[count - 1];
    }
}
