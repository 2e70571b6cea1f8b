using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Gpu.Catalog;

/// <summary>Runs catalog entries on an accelerator.</summary>
public sealed class GpuKernelRunner : IKernelRunner
{
    private readonly GpuLauncher _launcher;
    private readonly Dictionary<string, GpuOperation> _operations;

    /// <summary>Creates a runner.</summary>
    /// <param name="launcher">Where the kernels run.</param>
    /// <param name="device">The device, as a report names it.</param>
    public GpuKernelRunner(GpuLauncher launcher, string device)
        : this(launcher, device, GpuCatalog.Operations)
    {
    }

    /// <summary>Creates a runner of other kernels, such as broken ones.</summary>
    internal GpuKernelRunner(GpuLauncher launcher, string device, IEnumerable<GpuOperation> operations)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        _launcher = launcher;
        Device = device;
        _operations = operations.ToDictionary(operation => operation.Name);
    }

    /// <inheritdoc/>
    public string Device { get; }

    /// <inheritdoc/>
    public string? ReasonToSkip(KernelOperation operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        return _operations.TryGetValue(operation.Name, out var found) ? found.ReasonToSkip?.Invoke(_launcher) : "there is no GPU kernel for it";
    }

    /// <inheritdoc/>
    public void Run(KernelOperation operation, KernelArguments arguments)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ArgumentNullException.ThrowIfNull(arguments);
        using var buffers = new GpuBuffers(_launcher, arguments);
        _operations[operation.Name].Run(_launcher, buffers);
        buffers.Download();
    }

    /// <inheritdoc/>
    public double Measure(KernelOperation operation, KernelArguments arguments, TimeSpan budget)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ArgumentNullException.ThrowIfNull(arguments);
        using var buffers = new GpuBuffers(_launcher, arguments);
        return KernelTimer.Measure(
            count =>
            {
                for (int i = 0; i < count; i++)
                {
                    buffers.Restart();
                    _operations[operation.Name].Run(_launcher, buffers);
                }

                _launcher.Synchronize();
            },
            budget);
    }

    /// <inheritdoc/>
    public DeviceLimits MeasureLimits() => LimitKernels.Measure(_launcher);
}
