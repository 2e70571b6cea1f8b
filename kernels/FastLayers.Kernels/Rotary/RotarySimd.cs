using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Rotary;

/// <summary>
/// The two loops of <see cref="RotaryEmbedding"/>. Halves: two streams half a head apart. Adjacent: a register holds both elements of its
/// pairs; each cosine and sine is loaded into two lanes, and the other element comes from a swap of neighbors.
/// </summary>
internal static unsafe class RotarySimd
{
    /// <summary>One head.</summary>
    public static void Head<TLanes>(float* head, float* cosine, float* sine, int pairs, RotaryStyle style)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        if (style == RotaryStyle.Adjacent) Adjacent<TLanes>(head, cosine, sine, pairs);
        else Halves<TLanes>(head, cosine, sine, pairs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Halves<TLanes>(float* head, float* cosine, float* sine, int pairs) where TLanes : unmanaged, ILanes<TLanes>
    {
        var other = head + pairs;
        var i = 0;
        for (; i <= pairs - TLanes.Count; i += TLanes.Count)
        {
            Rotate(TLanes.Load(head + i), TLanes.Load(other + i), TLanes.Load(cosine + i), TLanes.Load(sine + i), out var a, out var b);
            a.Store(head + i);
            b.Store(other + i);
        }

        var left = pairs - i;
        if (left > 0)
        {
            Rotate(
                TLanes.LoadPartial(head + i, left), TLanes.LoadPartial(other + i, left),
                TLanes.LoadPartial(cosine + i, left), TLanes.LoadPartial(sine + i, left), out var a, out var b);
            a.StorePartial(head + i, left);
            b.StorePartial(other + i, left);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Rotate<TLanes>(TLanes a, TLanes b, TLanes cosine, TLanes sine, out TLanes rotatedA, out TLanes rotatedB)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        rotatedA = TLanes.Subtract(TLanes.Multiply(a, cosine), TLanes.Multiply(b, sine));
        rotatedB = TLanes.MultiplyAdd(a, sine, TLanes.Multiply(b, cosine));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Adjacent<TLanes>(float* head, float* cosine, float* sine, int pairs) where TLanes : unmanaged, ILanes<TLanes>
    {
        var step = TLanes.Count / 2;
        var i = 0;
        for (; i <= pairs - step; i += step)
            RotateNeighbors(TLanes.Load(head + 2 * i), TLanes.LoadTwice(cosine + i), TLanes.LoadTwice(sine + i)).Store(head + 2 * i);

        var left = pairs - i;
        if (left > 0)
        {
            // The last angles go through the stack, as there is no partial load into two lanes.
            var lastCosines = TLanes.LoadPartial(cosine + i, left);
            var lastSines = TLanes.LoadPartial(sine + i, left);
            var cosines = TLanes.LoadTwice((float*)&lastCosines);
            var sines = TLanes.LoadTwice((float*)&lastSines);
            RotateNeighbors(TLanes.LoadPartial(head + 2 * i, 2 * left), cosines, sines).StorePartial(head + 2 * i, 2 * left);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes RotateNeighbors<TLanes>(TLanes pairs, TLanes cosine, TLanes sine) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.MultiplyAdd(TLanes.SwapPairs(pairs), TLanes.NegateEven(sine), TLanes.Multiply(pairs, cosine));
}
