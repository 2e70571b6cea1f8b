using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Activation;

/// <summary>act(gate) · up.</summary>
internal readonly struct Gated<TLanes, TActivation> : IOperator2<TLanes>
    where TLanes : unmanaged, ILanes<TLanes> where TActivation : struct, IOperator1<TLanes>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke(TLanes gate, TLanes up) => TLanes.Multiply(default(TActivation).Invoke(gate), up);
}

/// <summary>x / (1 + e^-x). The numerator is kept finite, so that -∞ gives -0 and not ∞/∞.</summary>
internal readonly struct SiluOf<TLanes> : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke(TLanes x)
    {
        x = TLanes.Max(TLanes.Broadcast(float.MinValue), x);
        var power = LaneMath.Exp(TLanes.Subtract(TLanes.Zero, x));
        return TLanes.Divide(x, TLanes.Add(power, TLanes.Broadcast(1f)));
    }
}

/// <summary>x · Φ(x) written as max(0, x) - |x| · Φ(-|x|), in which nothing cancels for negative x.</summary>
internal readonly struct GeluErfOf<TLanes> : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    // Beyond it the tail is 0; |x| is held there, so that ∞ is not multiplied with 0.
    private const float TailEnd = 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke(TLanes x)
    {
        var magnitude = TLanes.Min(TLanes.Broadcast(TailEnd), TLanes.Abs(x));
        return TLanes.Subtract(TLanes.Max(TLanes.Zero, x), TLanes.Multiply(magnitude, LaneMath.NormalTail(magnitude)));
    }
}

/// <summary>
/// x/2 · (1 + tanh u) written as x / (1 + e^-2u), u = √(2/π)·(x + 0.044715·x³): the same function, one exponential, no cancellation.
/// </summary>
internal readonly struct GeluTanhOf<TLanes> : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    // -2·√(2/π), and that times 0.044715.
    private const float Linear = -1.59576912f;
    private const float Cubic = -0.0713548163f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke(TLanes x)
    {
        x = TLanes.Max(TLanes.Broadcast(float.MinValue), x);
        var slope = TLanes.MultiplyAdd(TLanes.Multiply(x, x), TLanes.Broadcast(Cubic), TLanes.Broadcast(Linear));
        var power = LaneMath.Exp(TLanes.Multiply(x, slope));
        return TLanes.Divide(x, TLanes.Add(power, TLanes.Broadcast(1f)));
    }
}

/// <summary>max(0, x).</summary>
internal readonly struct ReluOf<TLanes> : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke(TLanes x) => TLanes.Max(TLanes.Zero, x);
}

/// <summary>max(0, x)².</summary>
internal readonly struct ReluSquaredOf<TLanes> : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke(TLanes x)
    {
        var positive = TLanes.Max(TLanes.Zero, x);
        return TLanes.Multiply(positive, positive);
    }
}

/// <summary>tanh x.</summary>
internal readonly struct TanhOf<TLanes> : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke(TLanes x) => LaneMath.Tanh(x);
}

/// <summary>cap · tanh(x / cap).</summary>
internal readonly struct SoftcapOf<TLanes>(TLanes cap, TLanes inverse) : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke(TLanes x) => TLanes.Multiply(LaneMath.Tanh(TLanes.Multiply(x, inverse)), cap);
}
