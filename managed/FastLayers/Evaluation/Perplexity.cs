using FastLayers.Kernels.Formats;

namespace FastLayers;

/// <summary>How well a model predicts a text.</summary>
/// <param name="Nll">Mean negative log-likelihood of a token, in nats.</param>
/// <param name="Perplexity">e to the power of <paramref name="Nll"/>.</param>
/// <param name="StandardError">Standard error of <paramref name="Nll"/>, in nats, as if tokens were independent.</param>
/// <param name="Tokens">Number of tokens predicted.</param>
public sealed record PerplexityResult(double Nll, double Perplexity, double StandardError, long Tokens);

/// <summary>Measures perplexity in windows over texts.</summary>
/// <remarks>
/// A window is the token that begins a text, if the tokenizer has one, followed by text tokens up to the window's length. Windows start
/// every <c>stride</c> tokens and each predicts what no window before did, so that no token counts twice: with a stride below the length
/// all but the first window's tokens have at least <c>length − stride</c> tokens before them. Every token counts, but without a token that
/// begins texts nothing predicts the first of a text and, where windows do not overlap, the first of each window.
/// </remarks>
public static class PerplexityMeter
{
    /// <summary>Measures over documents that do not see each other.</summary>
    /// <param name="model">A decoder.</param>
    /// <param name="documents">Token ids of each document, without the token that begins a text.</param>
    /// <param name="contextLength">Length of a window, at least 2.</param>
    /// <param name="stride">Distance of windows; 0 takes the whole window.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancellation">Looked at between windows.</param>
    /// <exception cref="ArgumentOutOfRangeException">A window or stride that makes no sense.</exception>
    /// <exception cref="ArgumentException">There is no token to predict.</exception>
    /// <exception cref="InvalidOperationException">The model is an encoder.</exception>
    public static PerplexityResult Measure(Model model, IReadOnlyList<int[]> documents, int contextLength, int stride = 0, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(documents);
        model.RequireLogits();
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(stride);
        int? begin = model.Tokenizer is { AddsBegin: true } tokenizer ? tokenizer.BeginId : null;
        int textLength = begin is null ? contextLength : contextLength - 1;
        if (stride == 0) stride = textLength;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(stride, textLength);

        var sums = new Sums();
        long total = Math.Max(1, documents.Sum(d => (long)d.Length));
        long done = 0;
        using var session = model.CreateSession(new SessionOptions { ContextLength = contextLength, KeyFormat = Format.F32, ValueFormat = Format.F32 });
        foreach (int[] document in documents)
        {
            int scored = 0;
            for (int start = 0; scored < document.Length; start += stride)
            {
                cancellation.ThrowIfCancellationRequested();
                int end = Math.Min(document.Length, start + textLength);
                Window(session, model.Config.VocabularySize, document, start, end, scored, begin, sums);
                scored = end;
                progress?.Report((done + scored) / (double)total);
            }

            done += document.Length;
        }

        if (sums.Count == 0) throw new ArgumentException("There is no token to predict.", nameof(documents));
        double mean = sums.Sum / sums.Count;
        double variance = Math.Max(0, (sums.SumOfSquares / sums.Count) - (mean * mean));
        return new PerplexityResult(mean, Math.Exp(mean), Math.Sqrt(variance / sums.Count), sums.Count);
    }

    private static void Window(Session session, int vocabulary, int[] document, int start, int end, int scored, int? begin, Sums sums)
    {
        int[] ids = begin is { } id ? [id, .. document[start..end]] : document[start..end];
        session.Rewind(0);
        var logits = new float[Math.Min(ids.Length, session.ChunkLength) * vocabulary];
        int lead = begin is null ? 0 : 1;
        for (int chunk = 0; chunk < ids.Length; chunk += session.ChunkLength)
        {
            int count = Math.Min(session.ChunkLength, ids.Length - chunk);
            session.AppendWithLogits(ids.AsSpan(chunk, count), logits);
            for (int row = 0; row < count; row++)
            {
                int target = chunk + row + 1;
                if (target >= ids.Length || start + target - lead < scored) continue;
                sums.Add(NegativeLogLikelihood(logits.AsSpan(row * vocabulary, vocabulary), ids[target]));
            }
        }
    }

    private static double NegativeLogLikelihood(ReadOnlySpan<float> logits, int target)
    {
        double max = float.NegativeInfinity;
        foreach (float logit in logits) max = Math.Max(max, logit);
        double sum = 0;
        foreach (float logit in logits) sum += Math.Exp(logit - max);
        return Math.Log(sum) + max - logits[target];
    }

    private sealed class Sums
    {
        public double Sum { get; private set; }

        public double SumOfSquares { get; private set; }

        public long Count { get; private set; }

        public void Add(double value)
        {
            Sum += value;
            SumOfSquares += value * value;
            Count++;
        }
    }
}
