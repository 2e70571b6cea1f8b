using System.Diagnostics;
using System.Runtime.CompilerServices;
using FastLayers.Tokenization;

namespace FastLayers;

/// <summary>One run of text generation: prefill, then one token after another until something ends it.</summary>
internal sealed class TextGenerator(Model model, Tokenizer tokenizer, GenerationOptions options, SessionOptions? sessionOptions)
{
    public async IAsyncEnumerable<GenerationPiece> RunAsync(string prompt, [EnumeratorCancellation] CancellationToken cancellation)
    {
        options.Validate();
        cancellation.ThrowIfCancellationRequested();
        int[] promptIds = tokenizer.Encode(prompt, addSpecial: true, parseSpecial: true);
        if (promptIds.Length == 0) throw new InvalidOperationException("The prompt has no tokens and the model has no token that begins a text.");

        using var session = model.CreateSession(sessionOptions);
        int vocabulary = Math.Min(model.Config.VocabularySize, tokenizer.VocabularySize); // matrices are often padded with rows that no token has
        var sampler = new Sampler(options, vocabulary);
        var decoder = tokenizer.CreateStreamingDecoder();
        var stops = new StopStringMatcher(options.StopStrings);
        var logits = new float[model.Config.VocabularySize];
        var history = new List<int>(promptIds);
        FinishReason? finish = options.MaxTokens == 0 ? FinishReason.MaxTokens : null;

        long start = Stopwatch.GetTimestamp();
        await Task.Run(() => session.Append(promptIds, cancellation: cancellation), cancellation).ConfigureAwait(false);
        var prefill = Stopwatch.GetElapsedTime(start);
        var first = TimeSpan.Zero;
        int generated = 0;
        var pending = new List<int>();
        while (finish is null)
        {
            cancellation.ThrowIfCancellationRequested();
            int id = await Task.Run(() => Next(session, sampler, logits, vocabulary, history), cancellation).ConfigureAwait(false);
            if (generated == 0) first = Stopwatch.GetElapsedTime(start);
            if (tokenizer.EndIds.Contains(id))
            {
                finish = FinishReason.EndOfText;
                break;
            }

            history.Add(id);
            pending.Add(id);
            generated++;
            string text = stops.Append(decoder.Append(id));
            if (stops.IsStopped) finish = FinishReason.StopString;
            else if (generated >= options.MaxTokens) finish = FinishReason.MaxTokens;
            else if (session.Length() >= session.ContextLength) finish = FinishReason.ContextFull;
            if (finish is not null)
            {
                if (text.Length > 0) yield return Piece(text, pending);
                break;
            }

            yield return Piece(text, pending);
            await Task.Run(() => session.Append([id], cancellation: cancellation), cancellation).ConfigureAwait(false);
        }

        var total = Stopwatch.GetElapsedTime(start);
        using var process = Process.GetCurrentProcess();
        string rest = stops.IsStopped ? "" : stops.Append(decoder.Flush()) + stops.Flush();
        yield return new GenerationPiece(rest, [.. pending], new GenerationStatistics
        {
            PromptTokens = promptIds.Length,
            GeneratedTokens = generated,
            PrefillTokensPerSecond = Rate(promptIds.Length, prefill),
            DecodeTokensPerSecond = Rate(generated - 1, total - first),
            TimeToFirstToken = first,
            PeakMemoryBytes = process.PeakWorkingSet64,
            FinishReason = finish.Value,
        });
    }

    private static int Next(Session session, Sampler sampler, float[] logits, int vocabulary, List<int> history)
    {
        session.Logits(logits);
        return sampler.Sample(logits.AsSpan(0, vocabulary), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(history));
    }

    private static GenerationPiece Piece(string text, List<int> pending)
    {
        var piece = new GenerationPiece(text, [.. pending]);
        pending.Clear();
        return piece;
    }

    private static double Rate(int tokens, TimeSpan time) => tokens > 0 && time > TimeSpan.Zero ? tokens / time.TotalSeconds : 0;
}
