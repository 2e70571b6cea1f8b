using FastLayers.Kernels.Formats;
using FastLayers.Synthesis;

namespace FastLayers.Tests.Synthesis;

public sealed class SyntheticModelOptionsTests
{
    [Fact]
    public void Named_shapes_are_those_of_the_models_they_are_named_after()
    {
        var options = SyntheticModelOptions.Parse("135m", "llama", "q8_0", 7);
        Assert.Equal((30, 576, 1536, 9, 3, 49152), (options.Layers, options.Width, options.FeedForward, options.Heads, options.KeyValueHeads, options.Vocabulary));
        Assert.True(options.Tied);
        Assert.Equal((Format.Q8_0, 7ul), (options.Format, options.Seed));
        options = SyntheticModelOptions.Parse("1.1b");
        Assert.Equal((22, 2048, 5632, 32, 4, 32000), (options.Layers, options.Width, options.FeedForward, options.Heads, options.KeyValueHeads, options.Vocabulary));
        options = SyntheticModelOptions.Parse("8B");
        Assert.Equal((32, 4096, 14336, 32, 8, 128256), (options.Layers, options.Width, options.FeedForward, options.Heads, options.KeyValueHeads, options.Vocabulary));
        Assert.Equal(4, SyntheticModelOptions.Parse("8b,layers=4").Layers);
    }

    [Fact]
    public void Numbers_are_read_by_their_keys()
    {
        var options = SyntheticModelOptions.Parse(
            "layers=3,width=64,ffn=96,heads=4,kv-heads=2,head-size=32,vocabulary=300,context=128,tied=true,experts=4,experts-used=2,"
            + "rope-dimensions=32,rope-base=5000,rope-scaling=yarn,rope-factor=4,original-context=32,deviation=0.5", "qwen3moe");
        Assert.Equal(
            new SyntheticModelOptions
            {
                Architecture = "qwen3moe",
                Layers = 3,
                Width = 64,
                FeedForward = 96,
                Heads = 4,
                KeyValueHeads = 2,
                HeadSize = 32,
                Vocabulary = 300,
                Context = 128,
                Tied = true,
                Experts = 4,
                ExpertsUsed = 2,
                Deviation = 0.5f,
                Rotary = new SyntheticRotary { Dimensions = 32, Base = 5000, Scaling = SyntheticScaling.Yarn, Factor = 4, OriginalContext = 32 },
            },
            options);
    }

    [Theory]
    [InlineData("7b", "llama", "f32", "7b")]
    [InlineData("", "llama", "f32", "135m")]
    [InlineData("layers", "llama", "f32", "layers")]
    [InlineData("layers=2,8b", "llama", "f32", "8b")]
    [InlineData("leyers=2", "llama", "f32", "leyers")]
    [InlineData("layers=2,layers=3", "llama", "f32", "twice")]
    [InlineData("layers=0", "llama", "f32", "layers")]
    [InlineData("layers=-1", "llama", "f32", "layers")]
    [InlineData("layers=1.5", "llama", "f32", "layers")]
    [InlineData("layers=99999999999", "llama", "f32", "layers")]
    [InlineData("tied=maybe", "llama", "f32", "tied")]
    [InlineData("deviation=nan", "llama", "f32", "deviation")]
    [InlineData("rope-scaling=1", "llama", "f32", "rope-scaling")]
    [InlineData("rope-scaling=longrope", "llama", "f32", "LongRope")]
    [InlineData("rope-scaling=llama3", "qwen2", "f32", "Llama3")]
    [InlineData("rope-factor=2", "llama", "f32", "rope-factor")]
    [InlineData("width=65", "llama", "f32", "width 65")]
    [InlineData("heads=4,kv-heads=3", "llama", "f32", "kv-heads 3")]
    [InlineData("heads=3,width=63,kv-heads=3", "llama", "f32", "even")]
    [InlineData("head-size=32", "qwen2", "f32", "head-size")]
    [InlineData("kv-heads=2", "gpt2", "f32", "kv-heads")]
    [InlineData("rope-base=500", "gpt2", "f32", "table of positions")]
    [InlineData("rope-dimensions=8", "llama", "f32", "rope-dimensions")]
    [InlineData("rope-dimensions=32", "phi3", "f32", "head size")]
    [InlineData("window=8", "llama", "f32", "window")]
    [InlineData("vocabulary=2000000000", "llama", "f32", "vocabulary should be at most 4194304, found 2000000000")]
    [InlineData("layers=5000", "llama", "f32", "layers should be at most 4096")]
    [InlineData("tied=false", "gemma2", "f32", "tied")]
    [InlineData("tied=true", "olmo2", "f32", "tied")]
    [InlineData("experts=4,experts-used=2", "llama", "f32", "experts")]
    [InlineData("experts=4", "qwen3moe", "f32", "experts-used")]
    [InlineData("experts=4,experts-used=5", "qwen3moe", "f32", "experts-used")]
    [InlineData("vocabulary=100", "llama", "f32", "vocabulary")]
    [InlineData("original-context=512,rope-scaling=yarn", "llama", "f32", "original-context")]
    [InlineData("135m", "lama", "f32", "lama")]
    [InlineData("135m", "llama", "q9_0", "q9_0")]
    [InlineData("135m", "llama", "q8_1", "activations")]
    public void Errors_name_what_is_wrong(string shape, string architecture, string format, string expected)
    {
        var error = Assert.Throws<ArgumentException>(() => SyntheticModelOptions.Parse(shape, architecture, format));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
