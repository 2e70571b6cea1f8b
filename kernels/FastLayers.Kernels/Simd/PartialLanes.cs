using System.Runtime.CompilerServices;

namespace FastLayers.Kernels.Simd;

/// <summary>Partial loads and stores through the stack, for widths without masked memory instructions.</summary>
internal static unsafe class PartialLanes
{
    /// <summary>Reads the first <paramref name="count"/> floats; the other lanes are 0.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static TLanes Load<TLanes>(float* source, int count) where TLanes : unmanaged, ILanes<TLanes>
    {
        var lanes = TLanes.Zero;
        for (var i = 0; i < count; i++) ((float*)&lanes)[i] = source[i];
        return lanes;
    }

    /// <summary>Writes the first <paramref name="count"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Store<TLanes>(TLanes lanes, float* destination, int count) where TLanes : unmanaged, ILanes<TLanes>
    {
        for (var i = 0; i < count; i++) destination[i] = ((float*)&lanes)[i];
    }
}
