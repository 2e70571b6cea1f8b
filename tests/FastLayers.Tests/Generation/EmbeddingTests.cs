using FastLayers.Synthesis;

namespace FastLayers.Tests.Generation;

public sealed class EmbeddingTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_text_beyond_the_context_still_ends_as_texts_end()
    {
        SyntheticModel.Write(_path, SyntheticModelOptions.Parse("layers=1,context=16", "bert", "f32", 1));
        using var model = Model.Load(_path);
        Assert.True(model.Tokenizer!.AddsEnd);
        string text = string.Concat(Enumerable.Repeat("a b c ", 20));
        int[] ids = model.Tokenizer.Encode(text);
        Assert.True(ids.Length > 16);

        float[] embedding = model.Embed(text);

        Assert.Equal(model.Embed([.. ids[..15], ids[^1]]), embedding);
        Assert.NotEqual(model.Embed(ids.AsSpan(0, 16)), embedding);
    }
}
