using System.Text.Json;
using FastLayers.Cli.Bench;
using static FastLayers.Cli.Tests.CommandProcess;

namespace FastLayers.Cli.Tests;

/// <summary><c>fastlayers bench</c> on the sample model: what is measured and how it is written, never how long it takes.</summary>
public sealed class BenchTests
{
    private const int SampleLayers = 5;

    private static readonly string[] s_small = ["bench", "--prompt", "8", "--generate", "2", "--depth", "0,16", "--batch", "1,2", "--repetitions", "2", "--threads", "2"];

    [Fact]
    public void Json_has_a_case_for_prefill_and_for_each_batch_at_each_depth()
    {
        using var json = Json([.. s_small, "--cache-k", "f32", "--cache-v", "f32", "--json"]);
        var root = json.RootElement;
        Assert.Equal(2, root.GetProperty("threads").GetInt32());
        Assert.Equal("int8", root.GetProperty("activations").GetString());
        Assert.Equal("f32", root.GetProperty("cacheKeys").GetString());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("peer").ValueKind);
        Assert.Equal(
            ["prefill 8 0 1", "decode 2 0 1", "decode 2 0 2", "prefill 8 16 1", "decode 2 16 1", "decode 2 16 2"],
            root.GetProperty("cases").EnumerateArray().Select(c => $"{c.GetProperty("kind").GetString()} {c.GetProperty("tokens")} {c.GetProperty("depth")} {c.GetProperty("batch")}"));
        foreach (var measured in root.GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("measured")))
        {
            double median = measured.GetProperty("tokensPerSecond").GetDouble();
            Assert.InRange(median, measured.GetProperty("leastTokensPerSecond").GetDouble(), measured.GetProperty("mostTokensPerSecond").GetDouble());
            Assert.True(measured.GetProperty("leastTokensPerSecond").GetDouble() > 0);
            Assert.True(measured.GetProperty("wallSeconds").GetDouble() > 0);
        }
    }

    [Fact]
    public void Csv_has_a_line_a_case()
    {
        string[] lines = Lines(Output([.. s_small, "--format", "csv"]));
        Assert.Equal("case,tokens,depth,batch,tokens/s,min,max,wall ms,cpu ms", lines[0]);
        Assert.Equal(7, lines.Length);
        Assert.StartsWith("decode,2,16,2,", lines[6], StringComparison.Ordinal);
        Assert.All(lines, line => Assert.Equal(9, line.Split(',').Length));
    }

    [Fact]
    public void Markdown_is_a_table_under_a_line_about_the_setup()
    {
        string[] lines = Lines(Output([.. s_small, "--format", "markdown"]));
        Assert.StartsWith("stories260K.gguf on ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("| case ", lines[1], StringComparison.Ordinal);
        Assert.Matches(@"^\| -+ \|( -+: \|){8}$", lines[2]);
        Assert.Equal(9, lines.Length);
        Assert.All(lines[1..], line => Assert.Equal(lines[1].Length, line.Length));
    }

    [Fact]
    public void The_table_is_the_default_and_leaves_out_what_is_zero()
    {
        string[] lines = Lines(Output("bench", "--prompt", "0", "--generate", "2", "--repetitions", "1"));
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("stories260K.gguf on ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("case ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("decode ", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void A_profile_divides_the_time_of_a_pass_among_its_operations()
    {
        using var json = Json([.. s_small, "--profile", "--json"]);
        var profiles = json.RootElement.GetProperty("profiles").EnumerateArray().ToArray();
        Assert.Equal(["prefill 0", "decode 0", "prefill 16", "decode 16"], profiles.Select(p => $"{p.GetProperty("kind").GetString()} {p.GetProperty("depth")}"));
        foreach (var profile in profiles)
        {
            var operations = profile.GetProperty("operations").EnumerateArray().ToDictionary(o => o.GetProperty("operation").GetString()!);
            Assert.Equal((4 * SampleLayers) + 1, operations["MatMul"].GetProperty("calls").GetDouble());
            Assert.Equal(SampleLayers, operations["Attend"].GetProperty("calls").GetDouble());
            Assert.Equal(1, operations.Values.Sum(o => o.GetProperty("share").GetDouble()), 1e-9);
            Assert.Equal(profile.GetProperty("passSeconds").GetDouble(), operations.Values.Sum(o => o.GetProperty("seconds").GetDouble()), 1e-9);
            Assert.Equal(operations["MatMul"].GetProperty("share").GetDouble() + operations["Attend"].GetProperty("share").GetDouble(), profile.GetProperty("matMulAndAttentionShare").GetDouble(), 1e-9);
        }
    }

    [Fact]
    public void A_device_that_computes_beside_the_host_has_a_profile_too()
    {
        using var json = Json("bench", "--device", "emulated", "--prompt", "2", "--generate", "0", "--repetitions", "1", "--profile", "--json");
        var profile = Assert.Single(json.RootElement.GetProperty("profiles").EnumerateArray());
        Assert.Contains(profile.GetProperty("operations").EnumerateArray(), o => o.GetProperty("operation").GetString() == "MatMul" && o.GetProperty("calls").GetDouble() == (4 * SampleLayers) + 1);
    }

    [Theory]
    [InlineData("table")]
    [InlineData("csv")]
    [InlineData("markdown")]
    public void A_profile_is_written_in_every_form(string form)
    {
        string output = Output("bench", "--prompt", "4", "--generate", "0", "--repetitions", "1", "--profile", "--format", form);
        Assert.Contains("MatMul", output, StringComparison.Ordinal);
        Assert.Contains(OperationShares.Between, output, StringComparison.Ordinal);
        Assert.Equal(form != "csv", output.Contains("matrix products and attention: ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--format should be table, json, csv or markdown, found 'xml'", "--format", "xml")]
    [InlineData("--json and --format csv", "--format", "csv", "--json")]
    [InlineData("--prompt and --generate are both 0", "--prompt", "0", "--generate", "0")]
    [InlineData("--depth should be whole numbers from 0, separated by commas, found '1,-2'", "--depth", "1,-2")]
    [InlineData("--depth", "--depth", "")]
    [InlineData("--batch should be whole numbers from 1 to 1024, separated by commas, found '0'", "--batch", "0")]
    [InlineData("--batch", "--batch", "1,2000")]
    [InlineData("A case of 2147483711 tokens is too long", "--prompt", "0", "--depth", "2147483647")]
    [InlineData("A case of 4000000000 tokens is too long", "--prompt", "0", "--generate", "2000000000", "--batch", "2")]
    [InlineData("--repetitions", "--repetitions", "0")]
    [InlineData("--cache-k should be f32, f16, q8_0 or q4_0, found 'q99'", "--cache-k", "q99")]
    [InlineData("--cache-v should be f32, f16, q8_0 or q4_0, found 'q6_k'", "--cache-v", "q6_k")]
    [InlineData("--peer should be llama.cpp or onnxruntime, found 'other'", "--peer", "other")]
    [InlineData("--peer-path is given without --peer", "--peer-path", "x")]
    [InlineData("--device should be cpu, found 'emulated'", "--peer", "llama.cpp", "--device", "emulated")]
    public void A_wrong_command_line_is_2(string named, params string[] arguments) => AssertRefused(2, named, ["bench", .. arguments]);

    [Theory]
    [InlineData("stores blocks of 32 values", "--cache-k", "q8_0", "--cache-v", "q8_0")]
    [InlineData("missing.gguf", "--model", "missing.gguf")]
    public void A_failure_is_1(string named, params string[] arguments) => AssertRefused(1, named, ["bench", .. arguments]);

    [Fact]
    public void An_encoder_is_refused()
    {
        string path = Path.GetTempFileName();
        try
        {
            Assert.Equal(0, Fastlayers("synth", "--shape", "layers=1", "--arch", "bert", "--out", path).Code);
            AssertRefused(1, "bert is an encoder", ["bench", "--model", path]);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static JsonDocument Json(params string[] arguments) => JsonDocument.Parse(Output(arguments));

    private static string Output(params string[] arguments)
    {
        var result = Fastlayers(arguments);
        Assert.Equal("", result.Error.Trim());
        Assert.Equal(0, result.Code);
        return result.Output;
    }

    private static void AssertRefused(int code, string named, string[] arguments)
    {
        var result = Fastlayers(arguments);
        Assert.Contains(named, result.Error, StringComparison.Ordinal);
        Assert.Equal(code, result.Code);
        Assert.Equal("", result.Output);
    }
}
