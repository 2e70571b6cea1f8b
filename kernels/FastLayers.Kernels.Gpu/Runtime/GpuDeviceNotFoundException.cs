namespace FastLayers.Kernels.Gpu;

/// <summary>There is no such device: its driver is missing, or it has fewer devices, or none that can run the kernels.</summary>
public sealed class GpuDeviceNotFoundException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    public GpuDeviceNotFoundException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
