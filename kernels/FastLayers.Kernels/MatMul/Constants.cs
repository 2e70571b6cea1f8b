namespace FastLayers.Kernels.MatMul;

/// <summary>A number as a type, so that it is a constant of the code that is made for it.</summary>
internal interface IConstant
{
    static abstract int Value { get; }
}

internal readonly struct Zero : IConstant
{
    public static int Value => 0;
}

internal readonly struct One : IConstant
{
    public static int Value => 1;
}

internal readonly struct Eight : IConstant
{
    public static int Value => 8;
}

internal readonly struct Sixteen : IConstant
{
    public static int Value => 16;
}
