using System.Globalization;

namespace FastLayers.Kernels.Catalog;

/// <summary>The size of the processor's caches, as Linux tells it.</summary>
internal static class CpuCaches
{
    /// <summary>A folder a cache of the first core.</summary>
    public const string SystemFolder = "/sys/devices/system/cpu/cpu0/cache";

    /// <summary>Where the system does not say: as much as a desktop's processor has.</summary>
    public const long AssumedBytes = 32 << 20;

    /// <summary>Bytes of the largest cache.</summary>
    /// <param name="folder">Has a folder a cache, in each a file <c>size</c> such as <c>32768K</c>.</param>
    public static long LargestBytes(string folder)
    {
        try
        {
            return Directory.EnumerateDirectories(folder, "index*").Select(cache => Bytes(File.ReadAllText(Path.Combine(cache, "size")).Trim())).Where(bytes => bytes > 0).DefaultIfEmpty(AssumedBytes).Max();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return AssumedBytes;
        }
    }

    private static long Bytes(string size)
    {
        int shift = size.Length == 0 ? 0 : size[^1] switch { 'K' => 10, 'M' => 20, _ => 0 };
        return long.TryParse(shift == 0 ? size : size[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number << shift : 0;
    }
}
