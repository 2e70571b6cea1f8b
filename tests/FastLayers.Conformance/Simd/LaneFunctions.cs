using FastLayers.Kernels.Simd;

namespace FastLayers.Conformance.Simd;

internal readonly struct ExpOf<TLanes> : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    public TLanes Invoke(TLanes x) => LaneMath.Exp(x);
}

internal readonly struct TanhOf<TLanes> : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    public TLanes Invoke(TLanes x) => LaneMath.Tanh(x);
}

internal readonly struct NormalTailOf<TLanes> : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    public TLanes Invoke(TLanes x) => LaneMath.NormalTail(x);
}

internal static unsafe class LaneFunctions
{
    public static float[] Exp(SimdLevel level, float[] x) => level switch
    {
        SimdLevel.V128 => Map<Lanes128, ExpOf<Lanes128>>(x),
        SimdLevel.V256 => Map<Lanes256, ExpOf<Lanes256>>(x),
        _ => Map<Lanes512, ExpOf<Lanes512>>(x),
    };

    public static float[] Tanh(SimdLevel level, float[] x) => level switch
    {
        SimdLevel.V128 => Map<Lanes128, TanhOf<Lanes128>>(x),
        SimdLevel.V256 => Map<Lanes256, TanhOf<Lanes256>>(x),
        _ => Map<Lanes512, TanhOf<Lanes512>>(x),
    };

    public static float[] NormalTail(SimdLevel level, float[] x) => level switch
    {
        SimdLevel.V128 => Map<Lanes128, NormalTailOf<Lanes128>>(x),
        SimdLevel.V256 => Map<Lanes256, NormalTailOf<Lanes256>>(x),
        _ => Map<Lanes512, NormalTailOf<Lanes512>>(x),
    };

    private static float[] Map<TLanes, TOperator>(float[] x)
        where TLanes : unmanaged, ILanes<TLanes> where TOperator : struct, IOperator1<TLanes>
    {
        var y = new float[x.Length];
        fixed (float* source = x, result = y) RowLoop.Map<TLanes, TOperator>(default, source, result, x.Length);
        return y;
    }
}
