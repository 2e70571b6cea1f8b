using System.CommandLine;
using System.Globalization;
using FastLayers.Gpu;
using FastLayers.Kernels.Gpu;

namespace FastLayers.Cli.Commands;

/// <summary><c>fastlayers devices</c>: lists where models can run.</summary>
internal static class DevicesCommand
{
    public static Command Create()
    {
        var json = CommonOptions.Json();
        var command = new Command("devices", "List the devices that models can run on.") { json };
        command.SetAction(result =>
        {
            var cpu = Device.Cpu;
            IReadOnlyList<DeviceOutput> devices =
            [
                new(cpu.Name, cpu.Description, cpu.MemoryBytes, Available: true, Reason: null),
                .. GpuDevice.List().Select(info => new DeviceOutput(info.Name, info.Description, info.Backend == GpuBackend.Emulated ? cpu.MemoryBytes : info.MemoryBytes, info.Reason is null, info.Reason)),
            ];
            if (result.GetValue(json)) JsonOutput.Write(devices);
            else foreach (var device in devices) Console.Out.WriteLine(Line(device));
            return ExitCode.Success;
        });
        return command;
    }

    private static string Line(DeviceOutput device) => device.Available
        ? string.Create(CultureInfo.InvariantCulture, $"{device.Name,-10} {device.Description}, {device.MemoryBytes / 1e9:f1} GB")
        : $"{device.Name,-10} none: {device.Reason}";
}
