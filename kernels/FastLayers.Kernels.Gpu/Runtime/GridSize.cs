namespace FastLayers.Kernels.Gpu;

/// <summary>How many groups a kernel that strides over its items is launched with.</summary>
internal static class GridSize
{
    /// <summary>Eight groups of 256 threads fill a multiprocessor of every current device; more only wait.</summary>
    private const int GroupsPerMultiprocessor = 8;

    /// <summary>Groups enough to fill the device.</summary>
    public static int Full(GpuLauncher launcher) => launcher.Accelerator.NumMultiprocessors * GroupsPerMultiprocessor;

    /// <summary>Groups for <paramref name="items"/> items, one a thread; no more than fill the device, none for none.</summary>
    public static int ForThreads(GpuLauncher launcher, long items, int groupSize) => (int)Math.Min((items + groupSize - 1) / groupSize, Full(launcher));
}
