namespace FastLayers.Kernels.Catalog;

/// <summary>What a device can do at most, measured on it: the roofline that kernels are compared with.</summary>
/// <param name="BytesPerSecond">Bytes read plus bytes written by a large copy.</param>
/// <param name="OperationsPerSecond">Float multiplications plus additions without any memory.</param>
public readonly record struct DeviceLimits(double BytesPerSecond, double OperationsPerSecond);
