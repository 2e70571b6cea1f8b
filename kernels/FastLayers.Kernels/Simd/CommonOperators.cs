using System.Runtime.CompilerServices;

namespace FastLayers.Kernels.Simd;

/// <summary>x.</summary>
internal readonly struct Identity<TLanes> : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke(TLanes x) => x;
}

/// <summary>x².</summary>
internal readonly struct SquareOf<TLanes> : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke(TLanes x) => TLanes.Multiply(x, x);
}

/// <summary>x · factor.</summary>
internal readonly struct MultiplyBy<TLanes>(TLanes factor) : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke(TLanes x) => TLanes.Multiply(x, factor);
}
