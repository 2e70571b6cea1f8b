namespace FastLayers.Kernels.Gpu;

/// <summary>The driver reports that a device cannot go on: it was reset, removed, or a kernel failed on it. All that it held is lost.</summary>
public sealed class GpuDeviceLostException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    public GpuDeviceLostException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
