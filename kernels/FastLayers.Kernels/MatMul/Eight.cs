namespace FastLayers.Kernels.MatMul;

/// <summary>8 as a type.</summary>
internal readonly struct Eight : IConstant
{
    public static int Value => 8;
}
