namespace FastLayers;

/// <summary>One of several products of the same input: <c>Output = input · Weightᵀ (+ Bias)</c>.</summary>
/// <param name="Weight">[outputs, inputs] in any format.</param>
/// <param name="Bias">One value an output, or null.</param>
/// <param name="Output">Receives [rows, outputs].</param>
public readonly record struct Projection(Tensor Weight, Tensor? Bias, Tensor Output);
