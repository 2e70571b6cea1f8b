using System.Text.Json;
using static FastLayers.Cli.Tests.CommandProcess;

namespace FastLayers.Cli.Tests;

/// <summary><c>fastlayers validate</c> and the devices that it and other commands can be given.</summary>
public sealed class ValidateTests
{
    [Fact]
    public void Kernels_pass_on_the_processor_and_the_emulated_device()
    {
        var result = Fastlayers("validate", "--device", "cpu", "--device", "emulated", "--op", "RmsNorm", "--seed", "3", "--json");
        Assert.Equal(0, result.Code);
        using var json = JsonDocument.Parse(result.Output);
        var root = json.RootElement;
        Assert.Equal(3, root.GetProperty("seed").GetInt32());
        Assert.Equal(0, root.GetProperty("failed").GetInt32());
        Assert.Equal(root.GetProperty("cases").GetArrayLength(), root.GetProperty("passed").GetInt32());
        Assert.Equal(2, root.GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("device").GetString()).Distinct().Count());
        Assert.All(root.GetProperty("cases").EnumerateArray(), c => Assert.StartsWith("RmsNorm", c.GetProperty("operation").GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_choice_every_device_that_is_listed_is_validated_and_the_emulated_one_only_for_want_of_others()
    {
        using var listed = JsonDocument.Parse(Fastlayers("devices", "--json").Output);
        string[] available = [.. listed.RootElement.EnumerateArray().Where(device => device.GetProperty("available").GetBoolean()).Select(device => device.GetProperty("name").GetString()!)];
        string[] others = [.. available.Where(name => name.StartsWith("cuda:", StringComparison.Ordinal) || name.StartsWith("opencl:", StringComparison.Ordinal))];

        using var validated = JsonDocument.Parse(Fastlayers("validate", "--op", "Softcap", "--json").Output);
        var devices = validated.RootElement.GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("device").GetString()!).Distinct();
        Assert.Equal(others.Length > 0 ? others : ["emulated"], devices.Skip(1));
    }

    [Fact]
    public void The_table_ends_with_totals_and_the_seed()
    {
        var result = Fastlayers("validate", "--device", "cpu", "--op", "ArgMax", "--seed", "5");
        Assert.Equal(0, result.Code);
        Assert.EndsWith("0 failed, 0 skipped; seed 5", result.Output.TrimEnd(), StringComparison.Ordinal);
        Assert.StartsWith("pass ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Measurements_lie_beside_what_the_device_can_do()
    {
        var result = Fastlayers("validate", "--device", "cpu", "--op", "RmsNorm.Plain", "--perf", "--json");
        Assert.Equal(0, result.Code);
        using var json = JsonDocument.Parse(result.Output);
        var row = json.RootElement[0];
        foreach (string value in (string[])["seconds", "gigabytesPerSecond", "copyGigabytesPerSecond", "gigaoperationsPerSecond", "arithmeticGigaoperationsPerSecond", "readGigabytesPerSecond", "fourStreamReadGigabytesPerSecond", "dispatchSeconds"])
            Assert.True(row.GetProperty(value).GetDouble() > 0);

        // Rows that stay in caches are not compared with memory. Which limit they meet first is measured too, and differs from run to run.
        var share = row.GetProperty("shareOfLimit");
        Assert.True(share.ValueKind == JsonValueKind.Null || share.GetDouble() > 0);
    }

    [Fact]
    public void The_emulated_device_is_not_measured()
    {
        var result = Fastlayers("validate", "--device", "emulated", "--perf");
        Assert.Equal(2, result.Code);
        Assert.Contains("--perf cannot measure the emulated device", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--op", "Nothing")]
    [InlineData("--device", "gpu")]
    [InlineData("--device", "cuda:x")]
    [InlineData("--device", "cpu:0")]
    [InlineData("--seed", "-1")]
    public void Wrong_values_are_named(string option, string value)
    {
        var result = Fastlayers("validate", option, value);
        Assert.Equal(2, result.Code);
        Assert.Contains(option, result.Error, StringComparison.Ordinal);
        Assert.Contains(value, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_is_not_there_is_a_failure_with_the_reason()
    {
        var result = Fastlayers("validate", "--device", "cuda:99");
        Assert.Equal(1, result.Code);
        Assert.Contains("There is no device cuda:99", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Devices_are_listed_with_the_reason_for_each_that_is_missing()
    {
        using var json = JsonDocument.Parse(Fastlayers("devices", "--json").Output);
        var devices = json.RootElement.EnumerateArray().ToArray();
        Assert.Equal("cpu", devices[0].GetProperty("name").GetString());
        Assert.Contains(devices, device => device.GetProperty("name").GetString() == "emulated" && device.GetProperty("available").GetBoolean());
        Assert.All(devices, device => Assert.Equal(device.GetProperty("available").GetBoolean(), device.GetProperty("reason").ValueKind == JsonValueKind.Null));
    }

    [Fact]
    public void A_model_runs_on_the_emulated_device()
    {
        var result = Fastlayers("run", "--device", "emulated", "--temperature", "0", "--max-tokens", "3", "--prompt", "Once upon a time");
        Assert.Equal(0, result.Code);
        Assert.Equal("Once upon a time, there", result.Output.Trim()[..23]);
    }
}
