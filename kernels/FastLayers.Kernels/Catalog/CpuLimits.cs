using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Catalog;

/// <summary>Measures what one thread of the processor can do at most: a copy of memory, and multiplications and additions in registers.</summary>
internal static unsafe class CpuLimits
{
    /// <summary>Bytes of the copy: more than the caches of today's processors hold for one core.</summary>
    private const int CopyBytes = 128 << 20;

    private const int Rounds = 4096;
    private const int Chains = 10;
    private static readonly TimeSpan s_budget = TimeSpan.FromMilliseconds(300);

    /// <summary>Measures both limits on the calling thread.</summary>
    public static DeviceLimits Measure(SimdLevel level)
    {
        var memory = (byte*)NativeMemory.AlignedAlloc(2 * (nuint)CopyBytes, 64);
        try
        {
            NativeMemory.Fill(memory, 2 * (nuint)CopyBytes, 1);
            double copy = KernelTimer.Measure(
                count =>
                {
                    for (int i = 0; i < count; i++) Buffer.MemoryCopy(memory, memory + CopyBytes, CopyBytes, CopyBytes);
                },
                s_budget);
            double operations = level switch
            {
                SimdLevel.V512 => OperationsPerSecond<Lanes512>(),
                SimdLevel.V256 => OperationsPerSecond<Lanes256>(),
                _ => OperationsPerSecond<Lanes128>(),
            };
            return new DeviceLimits(2.0 * CopyBytes / copy, operations);
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    private static double OperationsPerSecond<TLanes>() where TLanes : unmanaged, ILanes<TLanes>
    {
        float sink = 0;
        double seconds = KernelTimer.Measure(
            count =>
            {
                for (int i = 0; i < count; i++) sink += Chain<TLanes>(sink);
            },
            s_budget);
        return 2.0 * Chains * Rounds * TLanes.Count / seconds;
    }

    /// <summary>Ten independent chains: two units of latency four or five keep busy with no fewer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Chain<TLanes>(float start) where TLanes : unmanaged, ILanes<TLanes>
    {
        var factor = TLanes.Broadcast(0.999f);
        var summand = TLanes.Broadcast(0.001f);
        TLanes c0 = TLanes.Broadcast(start), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, c8 = c0, c9 = c0;
        for (int i = 0; i < Rounds; i++)
        {
            c0 = TLanes.MultiplyAdd(c0, factor, summand);
            c1 = TLanes.MultiplyAdd(c1, factor, summand);
            c2 = TLanes.MultiplyAdd(c2, factor, summand);
            c3 = TLanes.MultiplyAdd(c3, factor, summand);
            c4 = TLanes.MultiplyAdd(c4, factor, summand);
            c5 = TLanes.MultiplyAdd(c5, factor, summand);
            c6 = TLanes.MultiplyAdd(c6, factor, summand);
            c7 = TLanes.MultiplyAdd(c7, factor, summand);
            c8 = TLanes.MultiplyAdd(c8, factor, summand);
            c9 = TLanes.MultiplyAdd(c9, factor, summand);
        }

        var sum = TLanes.Add(TLanes.Add(TLanes.Add(c0, c1), TLanes.Add(c2, c3)), TLanes.Add(TLanes.Add(c4, c5), TLanes.Add(TLanes.Add(c6, c7), TLanes.Add(c8, c9))));
        return TLanes.Sum(sum) * 1e-30f;
    }
}
