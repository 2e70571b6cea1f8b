using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Tests;

/// <summary>What a processor can do at most: that all of it runs and is counted, never how fast it is.</summary>
public sealed class CpuLimitsTests
{
    [Theory]
    [InlineData(SimdLevel.V128, 1)]
    [InlineData(SimdLevel.V256, 2)]
    [InlineData(SimdLevel.V512, 3)]
    public void Every_limit_runs_and_counts_what_all_threads_do(SimdLevel level, int threads)
    {
        using var limits = new CpuLimits(level, threads);
        foreach (var limit in Enum.GetValues<CpuLimit>()) limits.Run(limit);
        foreach (var limit in (CpuLimit[])[CpuLimit.Read, CpuLimit.ReadFourStreams, CpuLimit.Copy])
        {
            // All of the memory but the steps that do not fill a share.
            Assert.InRange(limits.Bytes(limit), CpuLimits.MemoryBytes - (threads * 2048), CpuLimits.MemoryBytes);
            Assert.Equal(0, limits.Operations(limit));
        }

        Assert.Equal(0, limits.Bytes(CpuLimit.FloatMultiplyAdd));
        Assert.Equal(0, limits.Operations(CpuLimit.FloatMultiplyAdd) % (threads * 2 * (int)level / 32));
        Assert.True(limits.Operations(CpuLimit.Int8MultiplyAdd) > 0);
    }

    [Fact]
    public void The_roofline_is_the_longer_of_moving_and_computing()
    {
        var limits = new DeviceLimits(10, 100) { FourStreamReadBytesPerSecond = 20, Int8OperationsPerSecond = 400 };
        Assert.Equal(2, limits.LeastSeconds(40, 100, KernelArithmetic.Float));
        Assert.Equal(3, limits.LeastSeconds(40, 300, KernelArithmetic.Float));
        Assert.Equal(2, limits.LeastSeconds(40, 400, KernelArithmetic.Int8));
        Assert.Equal(100, new DeviceLimits(10, 100).RateOf(KernelArithmetic.Int8));
    }

    [Fact]
    public void Bytes_in_caches_are_not_compared_with_memory()
    {
        var limits = new DeviceLimits(10, 100) { CacheBytes = 40 };
        Assert.Null(limits.LeastSeconds(40, 100, KernelArithmetic.Float));
        Assert.Equal(5, limits.LeastSeconds(50, 100, KernelArithmetic.Float));
        Assert.Equal(4, limits.LeastSeconds(40, 400, KernelArithmetic.Float));
    }

    [Fact]
    public void The_largest_cache_is_read_from_the_system_s_files()
    {
        string folder = Directory.CreateTempSubdirectory("fastlayers-caches-").FullName;
        try
        {
            Assert.Equal(CpuCaches.AssumedBytes, CpuCaches.LargestBytes(folder));
            foreach (var (name, size) in ((string, string)[])[("index0", "32K"), ("index1", "what?"), ("index3", "30M"), ("index2", "1024K")])
            {
                Directory.CreateDirectory(Path.Combine(folder, name));
                File.WriteAllText(Path.Combine(folder, name, "size"), size + "\n");
            }

            Assert.Equal(30 << 20, CpuCaches.LargestBytes(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
