using System.Runtime.InteropServices;
using System.Text.Json;
using static FastLayers.Cli.Tests.CommandProcess;

namespace FastLayers.Cli.Tests;

/// <summary>The forms that scripts rely on, run as a script runs them: a process, its output and its exit code.</summary>
public sealed class CommandTests : IDisposable
{
    private const string Story = ", there was a little girl named Lily.";
    private readonly string _folder = Directory.CreateTempSubdirectory("fastlayers-cli-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_without_a_model_tells_the_sample_story()
    {
        var result = Fastlayers("run", "--temperature", "0", "--max-tokens", "12");
        Assert.Equal(0, result.Code);
        Assert.Equal("Once upon a time" + Story[..25], result.Output.TrimEnd()[..41]);
        Assert.Contains("generated", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_with_json_writes_one_object()
    {
        var result = Fastlayers("run", "--model", Sample, "--prompt", "Once upon a time", "--max-tokens", "20", "--temperature", "0", "--seed", "1", "--threads", "2", "--device", "cpu", "--json");
        using var json = JsonDocument.Parse(result.Output);
        var root = json.RootElement;
        Assert.StartsWith(Story, root.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal(20, root.GetProperty("ids").GetArrayLength());
        Assert.Equal([432, 383, 286], root.GetProperty("ids").EnumerateArray().Take(3).Select(i => i.GetInt32()));
        Assert.Equal(5, root.GetProperty("promptTokens").GetInt32());
        Assert.Equal(20, root.GetProperty("generatedTokens").GetInt32());
        Assert.True(root.GetProperty("prefillTokensPerSecond").GetDouble() > 0);
        Assert.True(root.GetProperty("decodeTokensPerSecond").GetDouble() > 0);
    }

    [Fact]
    public void The_same_seed_gives_the_same_text()
    {
        string Text(string seed) => Fastlayers("run", "--max-tokens", "30", "--temperature", "1.5", "--seed", seed).Output;
        Assert.Equal(Text("7"), Text("7"));
        Assert.NotEqual(Text("7"), Text("8"));
    }

    [Fact]
    public void A_stop_string_ends_the_text_before_it() =>
        Assert.Equal("Once upon a time, there was a little girl named Lily", Fastlayers("run", "--temperature", "0", "--stop", ". She").Output.Trim());

    [Fact]
    public void Logits_and_hidden_states_are_raw_floats()
    {
        string logits = Path.Combine(_folder, "logits.f32");
        string hidden = Path.Combine(_folder, "hidden.f32");
        Assert.Equal(0, Fastlayers("logits", "--model", Sample, "--ids", "1,403,407,261,378", "--out", logits).Code);
        Assert.Equal(0, Fastlayers("logits", "--model", Sample, "--ids", "1,403,407", "--out", hidden, "--hidden", "5", "--threads", "1").Code);

        float[] values = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(logits)).ToArray();
        Assert.Equal(5 * 512, values.Length);
        // golden.json of the sample.
        Assert.Equal(-10.13658, values[4 * 512], 1e-3);
        Assert.Equal(-5.32947, values[(4 * 512) + 1], 1e-3);
        Assert.Equal(3 * 64 * 4, new FileInfo(hidden).Length);
    }

    [Fact]
    public void Perplexity_of_a_story_of_its_own_kind_is_low()
    {
        string file = Path.Combine(_folder, "text.txt");
        File.WriteAllText(file, Fastlayers("run", "--temperature", "0", "--max-tokens", "120").Output.Trim());
        using var json = JsonDocument.Parse(Fastlayers("perplexity", "--model", Sample, "--file", file, "--context", "64", "--stride", "16", "--json").Output);
        double nll = json.RootElement.GetProperty("nll").GetDouble();
        Assert.InRange(nll, 0.1, 1.2);
        Assert.Equal(Math.Exp(nll), json.RootElement.GetProperty("perplexity").GetDouble(), 1e-6);
        Assert.True(json.RootElement.GetProperty("standardError").GetDouble() > 0);
        Assert.True(json.RootElement.GetProperty("tokens").GetInt32() > 100);
    }

    [Fact]
    public void More_tokens_than_the_model_was_made_for_are_pointed_out()
    {
        const string Warning = "exceed the 512 that the model was made for";
        string file = Path.Combine(_folder, "long.txt");
        File.WriteAllText(file, string.Concat(Enumerable.Repeat("Once upon a time there was a little dog. ", 80)));
        var (code, _, error) = Fastlayers("perplexity", "--model", Sample, "--file", file, "--context", "600");
        Assert.Equal(0, code);
        Assert.Contains("600 tokens " + Warning, error, StringComparison.Ordinal);
        Assert.DoesNotContain(Warning, Fastlayers("perplexity", "--model", Sample, "--file", file, "--context", "512").Error, StringComparison.Ordinal);
        string prompt = File.ReadAllText(file);
        Assert.Contains(Warning, Fastlayers("run", "--prompt", prompt, "--context", "2048", "--max-tokens", "2").Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Warning, Fastlayers("run", "--context", "2048", "--max-tokens", "2").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Tokenize_prints_ids()
    {
        Assert.Equal("1,403,407,261,378", Fastlayers("tokenize", "--model", Sample, "--text", "Once upon a time", "--ids").Output.Trim());
        using var json = JsonDocument.Parse(Fastlayers("tokenize", "--text", "Once", "--json").Output);
        Assert.Equal("<s>", json.RootElement.GetProperty("tokens")[0].GetString());
    }

    [Theory]
    [InlineData("q4_0")]
    [InlineData("q6_k")]
    public void A_synthetic_model_runs(string format)
    {
        string path = Path.Combine(_folder, format + ".gguf");
        Assert.Equal(0, Fastlayers("synth", "--shape", "layers=2,width=256,ffn=512,heads=4,kv-heads=2,vocabulary=300", "--arch", "llama", "--format", format, "--seed", "5", "--out", path).Code);
        byte[] first = File.ReadAllBytes(path);
        Fastlayers("synth", "--shape", "layers=2,width=256,ffn=512,heads=4,kv-heads=2,vocabulary=300", "--arch", "llama", "--format", format, "--seed", "5", "--out", path);
        Assert.Equal(first, File.ReadAllBytes(path));

        using var info = JsonDocument.Parse(Fastlayers("info", "--model", path, "--json").Output);
        Assert.Equal(2, info.RootElement.GetProperty("layers").GetInt32());
        Assert.Equal(2, info.RootElement.GetProperty("bytesPerLayer").GetArrayLength());
        Assert.True(info.RootElement.GetProperty("bytesByFormat").GetProperty(format).GetInt64() > 0);
        Assert.Equal(0, Fastlayers("run", "--model", path, "--max-tokens", "4", "--seed", "1").Code);
    }

    [Fact]
    public void Devices_are_listed()
    {
        using var json = JsonDocument.Parse(Fastlayers("devices", "--json").Output);
        Assert.Equal("cpu", json.RootElement[0].GetProperty("name").GetString());
    }
}
