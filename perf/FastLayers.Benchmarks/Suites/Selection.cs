using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Simd;

namespace FastLayers.Benchmarks.Suites;

/// <summary>What the command line chose; benchmarks are made by BenchmarkDotNet, which hands them nothing else.</summary>
public static class Selection
{
    /// <summary>Starts of names of operations; all if empty.</summary>
    public static IReadOnlyList<string> Prefixes { get; internal set; } = [];

    /// <summary>Names of formats; all that a suite knows if empty.</summary>
    public static IReadOnlyList<string> Formats { get; internal set; } = [];

    /// <summary>Numbers of threads for suites that take several.</summary>
    public static IReadOnlyList<int> Threads { get; internal set; } = [1, 2];

    /// <summary>The device of the catalog's suite.</summary>
    public static IKernelRunner Runner { get; internal set; } = new CpuKernelRunner(SimdDispatch.Level);

    /// <summary>Whether an operation is chosen.</summary>
    public static bool Matches(string name) => Prefixes.Count == 0 || Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    /// <summary>The chosen ones of some formats.</summary>
    public static IEnumerable<Format> Of(IEnumerable<Format> formats) => formats.Where(format => Formats.Count == 0 || Formats.Contains(format.Name));
}
