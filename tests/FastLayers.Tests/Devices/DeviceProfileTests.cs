using FastLayers.Kernels.Formats;

namespace FastLayers.Tests.Devices;

/// <summary>A profile sees every operation of a forward pass while it is attached, and changes nothing.</summary>
public sealed class DeviceProfileTests : IDisposable
{
    private readonly CpuDevice _device = new(2);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void Every_operation_of_a_pass_is_counted()
    {
        using var model = Model.Load(TestModels.LlamaCpp("tiny64-f32"), _device);
        using var session = model.CreateSession();
        var logits = new float[model.Config.VocabularySize];
        session.Append([1, 2, 3]);
        session.Logits(logits);
        float[] expected = [.. logits];

        var profile = new DeviceProfile();
        _device.Profile = profile;
        session.Rewind(0);
        session.Append([1, 2, 3]);
        session.Logits(logits);
        _device.Profile = null;
        session.Append([4]);

        int layers = model.Config.LayerCount;
        var calls = profile.Operations.ToDictionary(o => o.Operation, o => o.Calls);
        Assert.Equal((4 * layers) + 1, calls["MatMul"]);
        Assert.Equal(layers, calls["Attend"]);
        Assert.Equal(layers, calls["AppendKv"]);
        Assert.Equal(2 * layers, calls["Rotate"]);
        Assert.Equal((2 * layers) + 1, calls["RmsNorm"]);
        Assert.Equal(2 * layers, calls["Add"]);
        Assert.Equal(layers, calls["Activate"]);
        Assert.Equal(1, calls["Embed"]);
        Assert.Equal(1, calls["GatherRows"]);
        Assert.Equal(1, calls["Read"]);
        Assert.Equal(expected, logits);
    }

    [Fact]
    public void The_longest_operation_comes_first()
    {
        var profile = new DeviceProfile();
        profile.Add("Short", TimeSpan.FromSeconds(1));
        profile.Add("Long", TimeSpan.FromSeconds(3));
        profile.Add("Short", TimeSpan.FromSeconds(1));
        Assert.Equal([new("Long", 1, TimeSpan.FromSeconds(3)), new("Short", 2, TimeSpan.FromSeconds(2))], profile.Operations);
        profile.Clear();
        Assert.Empty(profile.Operations);
    }

    [Fact]
    public void A_refused_operation_is_counted_and_leaves_the_device_usable()
    {
        _device.Profile = new DeviceProfile();
        using var tensor = _device.Allocate(Format.F32, 1, 4);
        Assert.Throws<ArgumentException>(() => _device.Read(tensor, 3, new float[2]));
        _device.Read(tensor, 0, new float[4]);
        Assert.Equal(2, Assert.Single(_device.Profile.Operations).Calls);
    }
}
