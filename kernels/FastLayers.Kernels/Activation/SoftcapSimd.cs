using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Activation;

/// <summary>The loop of <see cref="Softcap"/>.</summary>
internal readonly unsafe struct SoftcapSimd : IRowKernel<float>
{
    /// <summary>One row.</summary>
    public static void Row<TLanes>(float* x, float cap, float* y, int length) where TLanes : unmanaged, ILanes<TLanes> =>
        RowLoop.Map<TLanes, SoftcapOf<TLanes>>(new(TLanes.Broadcast(cap), TLanes.Broadcast(1 / cap)), x, y, length);
}
