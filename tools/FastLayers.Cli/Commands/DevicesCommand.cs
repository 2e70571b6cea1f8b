using System.CommandLine;
using System.Globalization;

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
            IReadOnlyList<DeviceOutput> devices = [new DeviceOutput(cpu.Name, cpu.Description, cpu.MemoryBytes, Available: true, Reason: null)];
            if (result.GetValue(json)) JsonOutput.Write(devices);
            else foreach (var device in devices) Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{device.Name,-8} {device.Description}, {device.MemoryBytes / 1e9:f1} GB"));
            return ExitCode.Success;
        });
        return command;
    }
}
