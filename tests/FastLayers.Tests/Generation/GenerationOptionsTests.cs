namespace FastLayers.Tests.Generation;

public class GenerationOptionsTests
{
    public static TheoryData<string, GenerationOptions> OutOfRange => new()
    {
        { "MaxTokens", new() { MaxTokens = -1 } },
        { "Temperature", new() { Temperature = -0.1f } },
        { "Temperature", new() { Temperature = float.NaN } },
        { "Temperature", new() { Temperature = float.PositiveInfinity } },
        { "TopK", new() { TopK = -1 } },
        { "TopP", new() { TopP = 0 } },
        { "TopP", new() { TopP = 1.01f } },
        { "TopP", new() { TopP = float.NaN } },
        { "MinP", new() { MinP = -0.01f } },
        { "MinP", new() { MinP = 1.01f } },
        { "MinP", new() { MinP = float.NaN } },
        { "RepetitionPenalty", new() { RepetitionPenalty = 0 } },
        { "RepetitionPenalty", new() { RepetitionPenalty = -1 } },
        { "RepetitionPenalty", new() { RepetitionPenalty = float.PositiveInfinity } },
        { "FrequencyPenalty", new() { FrequencyPenalty = float.NaN } },
        { "PresencePenalty", new() { PresencePenalty = float.NegativeInfinity } },
        { "PenaltyWindow", new() { PenaltyWindow = -1 } },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void A_value_that_makes_no_sense_is_refused_by_name(string name, GenerationOptions options) =>
        Assert.Contains(name, Assert.Throws<ArgumentOutOfRangeException>(name, options.Validate).Message, StringComparison.Ordinal);

    [Fact]
    public void Empty_stop_strings_are_refused()
    {
        Assert.Throws<ArgumentException>("StopStrings", new GenerationOptions { StopStrings = ["a", ""] }.Validate);
        Assert.Throws<ArgumentNullException>("StopStrings", new GenerationOptions { StopStrings = [null!] }.Validate);
        Assert.Throws<ArgumentNullException>("StopStrings", new GenerationOptions { StopStrings = null! }.Validate);
    }

    [Fact]
    public void The_defaults_and_the_limits_are_accepted()
    {
        new GenerationOptions().Validate();
        new GenerationOptions { MaxTokens = 0, Temperature = 0, TopK = 0, TopP = 1, MinP = 0, PenaltyWindow = 0, FrequencyPenalty = -2, PresencePenalty = -2, StopStrings = ["\n"] }.Validate();
        new GenerationOptions { TopP = float.Epsilon, MinP = 1, RepetitionPenalty = float.Epsilon, TopK = int.MaxValue }.Validate();
    }

    [Fact]
    public void The_defaults_are_as_documented()
    {
        var options = new GenerationOptions();
        Assert.Equal((256, 0.8f, 40, 0.95f, 0.05f), (options.MaxTokens, options.Temperature, options.TopK, options.TopP, options.MinP));
        Assert.Equal((1f, 0f, 0f, 64), (options.RepetitionPenalty, options.FrequencyPenalty, options.PresencePenalty, options.PenaltyWindow));
        Assert.Null(options.Seed);
        Assert.Empty(options.StopStrings);
    }
}
