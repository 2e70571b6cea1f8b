namespace FastLayers.Kernels.MatMul;

/// <summary>16 as a type.</summary>
internal readonly struct Sixteen : IConstant
{
    public static int Value => 16;
}
