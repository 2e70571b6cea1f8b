using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Selection;

/// <summary>Inputs on which selections are easily wrong.</summary>
internal static class SelectionInput
{
    /// <summary>Adds noise rounded to quarters, so that many values are equal, with a NaN in sixteen.</summary>
    public static void AddTiedNoise(KernelArguments arguments, string name, int length)
    {
        foreach (ref var value in arguments.AddNoise(name, length, 2))
            value = arguments.Next() % 16 == 0 ? float.NaN : MathF.Round(value * 4) / 4;
    }
}
