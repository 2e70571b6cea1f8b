namespace FastLayers.Kernels.MatMul;

/// <summary>1 as a type.</summary>
internal readonly struct One : IConstant
{
    public static int Value => 1;
}
