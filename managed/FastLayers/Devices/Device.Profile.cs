using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FastLayers;

/// <content>Timing of the operations.</content>
public abstract partial class Device
{
    /// <summary>
    /// Counts and times every operation from now on; null, the default, costs a comparison an operation. A device that computes beside the host
    /// is waited for after each operation, so that the time is the operation's own; the whole then takes longer than without a profile.
    /// </summary>
    public DeviceProfile? Profile { get; set; }

    /// <summary>Waits for the operations before; for devices that compute beside the host.</summary>
    protected virtual void WaitCore()
    {
    }

    /// <summary>To be disposed when the calling operation ends.</summary>
    private OperationTimer Timed([CallerMemberName] string operation = "") => Profile is { } profile ? new OperationTimer(this, profile, operation) : default;

    private readonly ref struct OperationTimer(Device device, DeviceProfile profile, string operation)
    {
        private readonly DeviceProfile? _profile = profile;
        private readonly long _start = Stopwatch.GetTimestamp();

        public void Dispose()
        {
            if (_profile is null) return;
            device.WaitCore();
            _profile.Add(operation, Stopwatch.GetElapsedTime(_start));
        }
    }
}
