namespace FastLayers.Tests.Generation;

/// <summary>
/// The probabilities that a sampler should draw with, written down step by step: penalties in floats, as the logits are, so that ties are the
/// same; the rest in double precision.
/// </summary>
internal static class SamplingDefinition
{
    /// <summary>One probability a token; 0 for those that are not kept.</summary>
    public static double[] Probabilities(ReadOnlySpan<float> logits, ReadOnlySpan<int> recent, GenerationOptions options)
    {
        double[] penalized = Penalize(logits, recent, options);
        int[] kept = [.. Enumerable.Range(0, penalized.Length).Where(id => !double.IsNegativeInfinity(penalized[id])).OrderByDescending(id => penalized[id])];
        if (options.Temperature == 0) return OneHot(penalized.Length, kept[0]);
        if (options.TopK > 0) kept = [.. kept.Take(options.TopK)];

        double best = penalized[kept[0]];
        var shares = kept.ToDictionary(id => id, id => Math.Exp(penalized[id] - best));
        if (options.TopP < 1) kept = Nucleus(kept, shares, options.TopP * shares.Values.Sum());
        kept = [.. kept.Where(id => shares[id] >= options.MinP)];

        var probabilities = new double[penalized.Length];
        double sum = kept.Sum(id => Math.Exp((penalized[id] - best) / options.Temperature));
        foreach (int id in kept) probabilities[id] = Math.Exp((penalized[id] - best) / options.Temperature) / sum;
        return probabilities;
    }

    private static int[] Nucleus(int[] kept, Dictionary<int, double> shares, double limit)
    {
        double sum = 0;
        for (int i = 0; i < kept.Length; i++)
        {
            sum += shares[kept[i]];
            if (sum >= limit) return kept[..(i + 1)];
        }

        return kept;
    }

    private static double[] Penalize(ReadOnlySpan<float> logits, ReadOnlySpan<int> recent, GenerationOptions options)
    {
        float[] result = logits.ToArray();
        int[] window = [.. recent.ToArray().TakeLast(options.PenaltyWindow)];
        foreach (int id in window.Distinct())
        {
            result[id] = result[id] > 0 ? result[id] / options.RepetitionPenalty : result[id] * options.RepetitionPenalty;
            result[id] -= (window.Count(r => r == id) * options.FrequencyPenalty) + options.PresencePenalty;
        }

        return [.. result.Select(logit => (double)logit)];
    }

    private static double[] OneHot(int length, int index)
    {
        var result = new double[length];
        result[index] = 1;
        return result;
    }
}
