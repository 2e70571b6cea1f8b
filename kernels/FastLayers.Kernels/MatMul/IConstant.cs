namespace FastLayers.Kernels.MatMul;

/// <summary>A number as a type, so that it is a constant of the code that is made for it.</summary>
internal interface IConstant
{
    static abstract int Value { get; }
}
