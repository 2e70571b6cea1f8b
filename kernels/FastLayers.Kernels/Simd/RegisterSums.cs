using System.Runtime.CompilerServices;

namespace FastLayers.Kernels.Simd;

/// <summary>Sums of the lanes of eight registers, for widths without horizontal additions.</summary>
internal static unsafe class RegisterSums
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TLanes>(TLanes a0, TLanes a1, TLanes a2, TLanes a3, TLanes a4, TLanes a5, TLanes a6, TLanes a7, float* sums)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        sums[0] = TLanes.Sum(a0);
        sums[1] = TLanes.Sum(a1);
        sums[2] = TLanes.Sum(a2);
        sums[3] = TLanes.Sum(a3);
        sums[4] = TLanes.Sum(a4);
        sums[5] = TLanes.Sum(a5);
        sums[6] = TLanes.Sum(a6);
        sums[7] = TLanes.Sum(a7);
    }
}
