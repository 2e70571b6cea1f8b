using System.Diagnostics;
using System.Globalization;
using static FastLayers.Cli.Tests.CommandProcess;

namespace FastLayers.Cli.Tests;

/// <summary>What a script sees when something is wrong: one line on the error stream, nothing on the output, and an exit code.</summary>
public sealed class ExitCodeTests : IDisposable
{
    private const int Failure = 1;
    private const int Usage = 2;
    private const int Canceled = 130;

    /// <summary>Long enough for a loaded machine, short enough that a command that ignores the signal is noticed.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("fastlayers-cli-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("'--no-such-option'", "run", "--no-such-option")]
    [InlineData("'extra'", "run", "extra")]
    [InlineData("'walk'", "walk")]
    [InlineData("--model", "logits", "--ids", "1", "--out", "x")]
    [InlineData("--model", "run", "--model", "")]
    [InlineData("--device", "run", "--device", "toaster")]
    [InlineData("--threads should be a whole number from 0 to 1024, found '-1'", "run", "--threads", "-1")]
    [InlineData("--threads", "run", "--threads", "1025")]
    [InlineData("--activations", "run", "--activations", "int3")]
    [InlineData("--cache-k should be f32, f16, q8_0 or q4_0, found 'q8'", "run", "--cache-k", "q8")]
    [InlineData("--cache-v should be f32, f16, q8_0 or q4_0, found 'q4_k'", "run", "--cache-v", "q4_k")]
    [InlineData("--temperature should be 0 or a positive number, found '-1'", "run", "--temperature", "-1")]
    [InlineData("--temperature", "run", "--temperature", "NaN")]
    [InlineData("--top-k", "run", "--top-k", "1.5")]
    [InlineData("--top-p", "run", "--top-p", "0")]
    [InlineData("--min-p", "run", "--min-p", "1.01")]
    [InlineData("--repetition-penalty", "run", "--repetition-penalty", "0")]
    [InlineData("--frequency-penalty", "run", "--frequency-penalty", "inf")]
    [InlineData("--max-tokens should be a whole number from 0, found '99999999999'", "run", "--max-tokens", "99999999999")]
    [InlineData("--context", "run", "--context", "-5")]
    [InlineData("--seed", "run", "--seed", "-1")]
    [InlineData("--seed", "run", "--seed")]
    [InlineData("--stop", "run", "--stop", "")]
    [InlineData("found 'x'", "logits", "--model", "missing.gguf", "--ids", "1,x", "--out", "x")]
    [InlineData("found none", "logits", "--model", "missing.gguf", "--ids", ",", "--out", "x")]
    [InlineData("--hidden", "logits", "--model", "missing.gguf", "--ids", "1", "--hidden", "-1", "--out", "x")]
    [InlineData("--context", "perplexity", "--model", "x", "--file", "x", "--context", "1")]
    [InlineData("--stride", "perplexity", "--model", "x", "--file", "x", "--context", "10", "--stride", "11")]
    [InlineData("layers", "synth", "--shape", "layers=0", "--out", "x")]
    [InlineData("'q9'", "synth", "--shape", "135m", "--format", "q9", "--out", "x")]
    [InlineData("'lama'", "synth", "--shape", "135m", "--arch", "lama", "--out", "x")]
    public void A_wrong_command_line_is_2(string named, params string[] arguments) => AssertRefused(Usage, named, arguments);

    [Theory]
    [InlineData("missing.gguf", "run", "--model", "missing.gguf")]
    [InlineData("missing.gguf", "info", "--model", "missing.gguf", "--json")]
    [InlineData("missing.txt", "perplexity", "--model", "missing.gguf", "--file", "missing.txt")]
    [InlineData("missing", "synth", "--shape", "layers=1", "--out", "missing/x.gguf")]
    public void A_failure_is_1(string named, params string[] arguments) => AssertRefused(Failure, named, arguments);

    [Fact]
    public void What_does_not_fit_the_model_is_refused()
    {
        string file = Path.Combine(_folder, "out.f32");
        AssertRefused(Failure, "Token ids are 0 to 511. Found 512.", ["logits", "--model", Sample, "--ids", "1,512", "--out", file]);
        AssertRefused(Usage, "--hidden should be 0 to 5, found 6", ["logits", "--model", Sample, "--ids", "1", "--hidden", "6", "--out", file]);
        AssertRefused(Failure, "missing", ["logits", "--model", Sample, "--ids", "1", "--out", Path.Combine(_folder, "missing", "x.f32")]);
        Assert.False(File.Exists(file));
    }

    [Fact]
    public void An_encoder_tells_no_story()
    {
        string path = Path.Combine(_folder, "bert.gguf");
        Assert.Equal(0, Fastlayers("synth", "--shape", "layers=1", "--arch", "bert", "--out", path).Code);
        AssertRefused(Failure, "bert is an encoder", ["run", "--model", path]);
        AssertRefused(Failure, "bert is an encoder", ["perplexity", "--model", path, "--file", path]);
    }

    [Fact]
    public void A_context_beyond_all_memory_is_refused()
    {
        var result = Fastlayers("run", "--context", "2147483647", "--max-tokens", "1");
        Assert.Equal(Failure, result.Code);
        Assert.StartsWith("fastlayers: ", Assert.Single(result.Error.Trim().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_model_is_named()
    {
        string path = Path.Combine(_folder, "cut.gguf");
        File.WriteAllBytes(path, File.ReadAllBytes(Sample)[..500_000]);
        AssertRefused(Failure, "cut.gguf", ["run", "--model", path]);
    }

    [Fact]
    public void Help_is_there_for_every_command()
    {
        foreach (string command in (string[])["run", "info", "devices", "tokenize", "logits", "perplexity", "synth", "validate", "bench"])
        {
            var result = Fastlayers(command, "--help");
            Assert.Equal(0, result.Code);
            Assert.Contains("Usage:", result.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Nothing_at_all_shows_help_and_is_2()
    {
        var result = Fastlayers();
        Assert.Equal(Usage, result.Code);
        Assert.Contains("perplexity", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Ctrl_c_ends_a_text_cleanly()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent as Unix has them.");
        string path = Path.Combine(_folder, "slow.gguf");
        Fastlayers("synth", "--shape", "layers=4,width=256,ffn=512,heads=8,kv-heads=8,vocabulary=4000,context=100000", "--format", "q8_0", "--out", path);
        using var process = Start("run", "--model", path, "--context", "100000", "--max-tokens", "99000");
        Assert.Equal('O', process.StandardOutput.Read());
        AssertCanceled(process);
    }

    [Fact]
    public void Ctrl_c_ends_writing_and_leaves_no_file()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent as Unix has them.");
        string path = Path.Combine(_folder, "large.gguf");
        using var process = Start("synth", "--shape", "135m", "--format", "q6_k", "--out", path);
        Assert.True(SpinWait.SpinUntil(() => Directory.EnumerateFiles(_folder).Any() || process.HasExited, s_patience));
        AssertCanceled(process);
        Assert.Empty(Directory.EnumerateFiles(_folder));
    }

    private static void AssertCanceled(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]);
        Assert.True(process.WaitForExit(s_patience), "The command goes on after Ctrl-C.");
        Assert.Equal(Canceled, process.ExitCode);
        Assert.Equal("Canceled.", error.Result.Trim());
        Assert.NotNull(output.Result);
    }

    private static void AssertRefused(int code, string named, string[] arguments)
    {
        var result = Fastlayers(arguments);
        Assert.Equal(code, result.Code);
        Assert.Equal("", result.Output.Trim());
        string line = Assert.Single(result.Error.Trim().Split('\n'));
        Assert.StartsWith("fastlayers: ", line, StringComparison.Ordinal);
        Assert.Contains(named, line, StringComparison.Ordinal);
    }
}
