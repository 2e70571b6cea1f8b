namespace FastLayers.Kernels.Gpu;

/// <summary>A device has not enough memory left for what it was asked to hold.</summary>
public sealed class GpuOutOfMemoryException : OutOfMemoryException
{
    /// <summary>Creates the exception.</summary>
    public GpuOutOfMemoryException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
