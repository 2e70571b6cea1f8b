using System.Text.Json;
using FastLayers.Kernels.Formats;
using FastLayers.Tests.Loading;

namespace FastLayers.Tests.Generation;

/// <summary>Text of the sample model, whose greedy continuation is known from an independent forward pass.</summary>
public sealed class TextGenerationTests : IDisposable
{
    private const string Prompt = "Once upon a time";

    private readonly Model _model = Model.Load(TestPaths.Sample("stories260K.gguf"));

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task Greedy_text_and_ids_are_the_golden_ones()
    {
        using var golden = JsonDocument.Parse(await File.ReadAllTextAsync(TestPaths.Sample("golden.json")));
        int[] ids = [.. golden.RootElement.GetProperty("greedy_tokens").EnumerateArray().Select(e => e.GetInt32())];
        int promptLength = golden.RootElement.GetProperty("tokens").GetArrayLength();

        var pieces = await Generate(new() { Temperature = 0, MaxTokens = ids.Length - promptLength });

        Assert.Equal(ids[promptLength..], pieces.SelectMany(p => p.Ids));
        string expected = golden.RootElement.GetProperty("greedy_text").GetString()!.Replace("<0x0A>", "\n", StringComparison.Ordinal).TrimStart();
        Assert.Equal(expected, Prompt + Text(pieces));
    }

    [Fact]
    public async Task The_last_piece_alone_carries_statistics()
    {
        var pieces = await Generate(new() { Temperature = 0, MaxTokens = 10 });

        Assert.All(pieces.SkipLast(1), p => Assert.Null(p.Statistics));
        var statistics = pieces[^1].Statistics!;
        Assert.Equal((5, 10, FinishReason.MaxTokens), (statistics.PromptTokens, statistics.GeneratedTokens, statistics.FinishReason));
        Assert.True(statistics.PrefillTokensPerSecond > 0);
        Assert.True(statistics.DecodeTokensPerSecond > 0);
        Assert.True(statistics.TimeToFirstToken > TimeSpan.Zero);
        Assert.True(statistics.PeakMemoryBytes > 1_000_000);
    }

    [Theory]
    [InlineData("little", ", there was a ")]
    [InlineData(" little girl", ", there was a")]
    [InlineData("a l", ", there was ")]
    [InlineData(",", "")]
    [InlineData("Lily", ", there was a little girl named ")]
    public async Task A_stop_string_ends_the_text_before_it(string stop, string expected)
    {
        var pieces = await Generate(new() { Temperature = 0, MaxTokens = 60, StopStrings = ["never said", stop] });

        Assert.Equal(expected, Text(pieces));
        Assert.Equal(FinishReason.StopString, pieces[^1].Statistics!.FinishReason);
    }

    [Fact]
    public async Task A_started_stop_string_is_given_back_at_the_end()
    {
        var whole = await Generate(new() { Temperature = 0, MaxTokens = 12 });
        string text = Text(whole);
        var pieces = await Generate(new() { Temperature = 0, MaxTokens = 12, StopStrings = [text[^4..] + "never said"] });
        Assert.Equal(text, Text(pieces));
        Assert.Equal(FinishReason.MaxTokens, pieces[^1].Statistics!.FinishReason);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_text()
    {
        var options = new GenerationOptions { MaxTokens = 40, Seed = 3, Temperature = 1 };
        string first = Text(await Generate(options));

        Assert.Equal(first, Text(await Generate(options)));
        Assert.NotEqual(first, Text(await Generate(options with { Seed = 4 })));
    }

    [Fact]
    public async Task No_tokens_may_be_asked_for()
    {
        var pieces = await Generate(new() { MaxTokens = 0 });
        Assert.Equal("", Text(pieces));
        Assert.Equal((0, FinishReason.MaxTokens), (Assert.Single(pieces).Statistics!.GeneratedTokens, pieces[0].Statistics!.FinishReason));
    }

    [Fact]
    public async Task A_full_context_ends_the_text()
    {
        var pieces = await Generate(new() { Temperature = 0, MaxTokens = 100 }, new SessionOptions { ContextLength = 12 });

        // The token after the last position is still known: its logits are computed there.
        Assert.Equal(8, pieces.Sum(p => p.Ids.Count));
        Assert.Equal(FinishReason.ContextFull, pieces[^1].Statistics!.FinishReason);
    }

    [Fact]
    public async Task A_prompt_beyond_the_context_is_refused() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => Generate(new() { MaxTokens = 1 }, new SessionOptions { ContextLength = 4 }));

    [Fact]
    public async Task Options_that_make_no_sense_are_refused() =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Generate(new() { TopP = 2 }));

    [Fact]
    public async Task Cancellation_ends_the_text_between_tokens()
    {
        using var cancellation = new CancellationTokenSource();
        int count = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var piece in _model.GenerateAsync(Prompt, new() { MaxTokens = 200 }, cancellation: cancellation.Token))
            {
                count += piece.Ids.Count;
                if (count == 3) await cancellation.CancelAsync();
            }
        });
        Assert.Equal(3, count);
    }

    [Fact]
    public async Task A_row_of_the_matrices_that_no_token_has_is_never_chosen()
    {
        string path = Path.GetTempFileName();
        try
        {
            // Vocabularies are padded to round numbers: 8 rows more, made the most likely ones.
            var (shape, values) = EditedModel.Read(TestPaths.Sample("stories260K.gguf"), "token_embd.weight");
            int best = 432 * 64;
            float[] padded = [.. values, .. Enumerable.Range(0, 8 * 64).Select(i => 2 * values[best + (i % 64)])];
            EditedModel.Write(TestPaths.Sample("stories260K.gguf"), path, tensors: new() { ["token_embd.weight"] = ([shape[0] + 8, shape[1]], Format.F32, padded), ["output.weight"] = null });
            using var model = Model.Load(path);
            Assert.Equal(520, model.Config.VocabularySize);
            var ids = new List<int>();
            await foreach (var piece in model.GenerateAsync(Prompt, new() { Temperature = 0, MaxTokens = 5 })) ids.AddRange(piece.Ids);

            Assert.Equal(5, ids.Count);
            Assert.All(ids, id => Assert.InRange(id, 0, 511));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private async Task<List<GenerationPiece>> Generate(GenerationOptions options, SessionOptions? session = null)
    {
        var pieces = new List<GenerationPiece>();
        await foreach (var piece in _model.GenerateAsync(Prompt, options, session)) pieces.Add(piece);
        return pieces;
    }

    private static string Text(IEnumerable<GenerationPiece> pieces) => string.Concat(pieces.Select(p => p.Text));
}
