namespace FastLayers.Kernels.MatMul;

/// <summary>0 as a type.</summary>
internal readonly struct Zero : IConstant
{
    public static int Value => 0;
}
