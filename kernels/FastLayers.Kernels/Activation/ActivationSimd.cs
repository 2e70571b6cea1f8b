using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Activation;

/// <summary>Chooses the loop for an <see cref="ActivationKind"/>, so that no branch is left inside it.</summary>
internal readonly unsafe struct ActivationSimd : IRowKernel<ActivationKind>
{
    /// <summary>y[i] = act(x[i]).</summary>
    public static void Row<TLanes>(float* x, ActivationKind kind, float* y, int length) where TLanes : unmanaged, ILanes<TLanes>
    {
        switch (kind)
        {
            case ActivationKind.Silu: RowLoop.Map<TLanes, SiluOf<TLanes>>(default, x, y, length); break;
            case ActivationKind.GeluErf: RowLoop.Map<TLanes, GeluErfOf<TLanes>>(default, x, y, length); break;
            case ActivationKind.GeluTanh: RowLoop.Map<TLanes, GeluTanhOf<TLanes>>(default, x, y, length); break;
            case ActivationKind.Relu: RowLoop.Map<TLanes, ReluOf<TLanes>>(default, x, y, length); break;
            case ActivationKind.ReluSquared: RowLoop.Map<TLanes, ReluSquaredOf<TLanes>>(default, x, y, length); break;
            case ActivationKind.Tanh: RowLoop.Map<TLanes, TanhOf<TLanes>>(default, x, y, length); break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "Expected a defined activation.");
        }
    }

    /// <summary>y[i] = act(gate[i]) · up[i].</summary>
    public static void GatedRow<TLanes>(ActivationKind kind, float* gate, float* up, float* y, int length)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        switch (kind)
        {
            case ActivationKind.Silu: RowLoop.Map<TLanes, Gated<TLanes, SiluOf<TLanes>>>(default, gate, up, y, length); break;
            case ActivationKind.GeluErf: RowLoop.Map<TLanes, Gated<TLanes, GeluErfOf<TLanes>>>(default, gate, up, y, length); break;
            case ActivationKind.GeluTanh: RowLoop.Map<TLanes, Gated<TLanes, GeluTanhOf<TLanes>>>(default, gate, up, y, length); break;
            case ActivationKind.Relu: RowLoop.Map<TLanes, Gated<TLanes, ReluOf<TLanes>>>(default, gate, up, y, length); break;
            case ActivationKind.ReluSquared: RowLoop.Map<TLanes, Gated<TLanes, ReluSquaredOf<TLanes>>>(default, gate, up, y, length); break;
            case ActivationKind.Tanh: RowLoop.Map<TLanes, Gated<TLanes, TanhOf<TLanes>>>(default, gate, up, y, length); break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "Expected a defined activation.");
        }
    }
}
