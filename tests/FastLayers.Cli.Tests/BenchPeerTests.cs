using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using static FastLayers.Cli.Tests.CommandProcess;

namespace FastLayers.Cli.Tests;

/// <summary><c>fastlayers bench --peer</c> beside scripts that speak a peer's lines.</summary>
public sealed class BenchPeerTests : IDisposable
{
    /// <summary>Long enough for a loaded machine.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("fastlayers-peer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_peer_is_measured_in_the_same_cases()
    {
        var result = Bench("""
            echo "$@" > "$FOLDER/arguments"
            echo "ready peer 1.0, test kernels"
            while read -r line; do echo "$line" >> "$FOLDER/asked"; sleep 0.1; echo "done 2000000 3000000"; done
            """, "--json");
        Assert.Equal("", result.Error.Trim());
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal("llama.cpp", json.RootElement.GetProperty("peer").GetString());
        Assert.Equal("peer 1.0, test kernels", json.RootElement.GetProperty("peerDescription").GetString());
        var cases = json.RootElement.GetProperty("cases").EnumerateArray().ToArray();
        Assert.Equal(2, cases.Length);
        Assert.Equal(8 / 0.002, cases[0].GetProperty("peer").GetProperty("tokensPerSecond").GetDouble(), 1e-6);
        Assert.Equal(4 * 2 / 0.002, cases[1].GetProperty("peer").GetProperty("tokensPerSecond").GetDouble(), 1e-6);
        Assert.Equal(0.003, cases[1].GetProperty("peer").GetProperty("cpuSeconds").GetDouble(), 1e-9);
        Assert.All(cases, c => Assert.True(c.GetProperty("ratio").GetDouble() > 0));

        Assert.Equal(["prefill 8 depth 3", "decode 4 depth 3 batch 2"], File.ReadAllLines(Path.Combine(_folder, "asked")).Distinct());
        Assert.Equal($"--model {Sample} --threads 2 --context 11 --sequences 2 --cache-k f16 --cache-v f16 --seed 7", File.ReadAllText(Path.Combine(_folder, "arguments")).Trim());
    }

    [Fact]
    public void The_table_has_the_peer_and_the_ratios_behind()
    {
        var result = Bench("""
            echo "ready peer"
            while read -r line; do sleep 0.1; echo "done 2000000 3000000"; done
            """, "--format", "csv");
        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.EndsWith(",peer tokens/s,peer min,peer max,peer wall ms,peer cpu ms,ratio,cpu ratio", lines[0], StringComparison.Ordinal);
        Assert.Contains(",4000.0,4000.0,4000.0,2.00,3.00,", lines[1], StringComparison.Ordinal);
        Assert.All(lines, line => Assert.Equal(16, line.Split(',').Length));
    }

    [Fact]
    public void Products_are_measured_beside_a_peer_without_models()
    {
        string[] lines = BenchProducts("""
            echo "$1 $3 $4 $5 $6" > "$FOLDER/arguments"
            wc -c < "$2" >> "$FOLDER/arguments"
            echo "ready peer"
            while read -r line; do echo "$line" >> "$FOLDER/asked"; sleep 0.1; echo "done 2000000 3000000"; done
            """, "--format", "csv").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["matmul 8 matrices 1 block 32", "matmul 8 matrices 1 block 128"], File.ReadAllLines(Path.Combine(_folder, "asked")).Distinct());
        Assert.Equal(["--weights --size 4096 --threads 2", "9437184"], File.ReadAllLines(Path.Combine(_folder, "arguments")).Select(line => line.Trim()));
        Assert.StartsWith("\"matmul, peer block 32\",8,0,1,", lines[1], StringComparison.Ordinal);
        Assert.Contains(",4000.0,4000.0,4000.0,2.00,3.00,", lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--model", "some.gguf")]
    [InlineData("--profile")]
    public void A_peer_without_models_takes_none(params string[] more)
    {
        var result = BenchProducts("exit 0", more);
        Assert.Equal(2, result.Code);
        Assert.Contains(more[0], result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("echo 'error this model is not for me'", "The peer llama.cpp: this model is not for me")]
    [InlineData("echo 'first' >&2; echo 'no library' >&2", "ended without an answer: no library")]
    [InlineData("exit 0", "ended without an answer.")]
    [InlineData("echo hello", "should answer 'ready …', found 'hello'")]
    [InlineData("echo 'ready x'; echo 'done soon'", "should answer 'done WALL CPU' in nanoseconds, found 'done soon'")]
    [InlineData("echo 'ready x'; read -r line; echo 'error out of memory'", "The peer llama.cpp: out of memory")]
    public void A_peer_that_cannot_is_named_with_its_reason(string script, string named)
    {
        var result = Bench(script);
        Assert.Contains(named, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Code);
        Assert.Equal("", result.Output);
    }

    [Fact]
    public void A_peer_that_is_not_there_is_named()
    {
        var result = Fastlayers("bench", "--peer", "llama.cpp", "--peer-path", Path.Combine(_folder, "nothing"));
        Assert.Equal(1, result.Code);
        Assert.Contains("nothing cannot be started", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_c_ends_the_command_and_its_peer()
    {
        string asked = Path.Combine(_folder, "asked");
        using var process = Start(Arguments("""
            echo "ready peer"
            read -r line
            echo $$ > "$FOLDER/new"
            mv "$FOLDER/new" "$FOLDER/asked"
            exec sleep 600
            """));
        Assert.True(SpinWait.SpinUntil(() => File.Exists(asked) || process.HasExited, s_patience));
        using var peer = Process.GetProcessById(int.Parse(File.ReadAllText(asked), CultureInfo.InvariantCulture));
        var error = process.StandardError.ReadToEndAsync();
        using var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]);
        Assert.True(process.WaitForExit(s_patience), "The command goes on after Ctrl-C.");
        Assert.Equal(130, process.ExitCode);
        Assert.Equal("Canceled.", (await error).Trim());
        Assert.True(peer.WaitForExit(s_patience), "The peer goes on after Ctrl-C.");
    }

    private (int Code, string Output, string Error) BenchProducts(string script, params string[] more) =>
        Fastlayers(["bench", "--prompt", "8", "--generate", "0", "--repetitions", "2", "--threads", "2", "--peer", "onnxruntime", "--peer-path", Program(script), .. more]);

    private (int Code, string Output, string Error) Bench(string script, params string[] more) => Fastlayers([.. Arguments(script), .. more]);

    private string[] Arguments(string script) =>
        ["bench", "--prompt", "8", "--generate", "4", "--depth", "3", "--batch", "2", "--repetitions", "2", "--threads", "2", "--seed", "7", "--peer", "llama.cpp", "--peer-path", Program(script)];

    private string Program(string script)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The peers of these tests are shell scripts.");
        string path = Path.Combine(_folder, "run");
        File.WriteAllText(path, $"#!/bin/sh\nFOLDER='{_folder}'\n{script}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
