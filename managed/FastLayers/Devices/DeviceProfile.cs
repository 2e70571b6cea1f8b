namespace FastLayers;

/// <summary>What the calls of one operation took together.</summary>
/// <param name="Operation">The operation's name, that of the method of <see cref="Device"/>.</param>
/// <param name="Calls">Calls, those that had nothing to do included.</param>
/// <param name="Time">Time of all calls, from the check of the operands until the result was there.</param>
public readonly record struct OperationTime(string Operation, long Calls, TimeSpan Time);

/// <summary>Counts and times the operations of the device that it is attached to: see <see cref="Device.Profile"/>.</summary>
public sealed class DeviceProfile
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long Calls, TimeSpan Time)> _operations = [];

    /// <summary>The operations that were called, the longest first.</summary>
    public IReadOnlyList<OperationTime> Operations
    {
        get
        {
            lock (_lock) return [.. _operations.Select(o => new OperationTime(o.Key, o.Value.Calls, o.Value.Time)).OrderByDescending(o => o.Time).ThenBy(o => o.Operation, StringComparer.Ordinal)];
        }
    }

    /// <summary>Forgets all calls.</summary>
    public void Clear()
    {
        lock (_lock) _operations.Clear();
    }

    internal void Add(string operation, TimeSpan time)
    {
        lock (_lock)
        {
            var (calls, total) = _operations.GetValueOrDefault(operation);
            _operations[operation] = (calls + 1, total + time);
        }
    }
}
