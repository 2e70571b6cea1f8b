using ILGPU;

namespace FastLayers.Kernels.Gpu.Attention;

/// <summary>
/// Puts the parts of a context together, one group a row and head: each part has its largest score m, its sum of weights s and its sums of
/// values v relative to m, so that the result is Σ e^(m - M) v / Σ e^(m - M) s with the largest M.
/// </summary>
internal static class AttentionCombine
{
    /// <summary>The most parts of a context.</summary>
    public const int MaxSplits = 64;

    public const int MaxPlace = 0;
    public const int SumPlace = 1;
    public const int ValuesPlace = 2;

    public static GpuKernel<Arguments> Kernel { get; } = new("Attention.Combine", Run);

    /// <summary>Floats of a part.</summary>
    public static int PartLength(int valueSize) => valueSize + ValuesPlace;

    internal static void Run(Arguments a)
    {
        var factors = SharedMemory.Allocate<float>(MaxSplits);
        int length = PartLength(a.ValueSize);
        var parts = a.Parts.SubView((long)Grid.IdxX * a.Splits * length, a.Splits * length);
        float max = parts[MaxPlace];
        for (int split = 1; split < a.Splits; split++)
        {
            float part = parts[(split * length) + MaxPlace];
            if (part > max) max = part;
        }

        for (int split = Group.IdxX; split < a.Splits; split += Group.DimX) factors[split] = MathF.Exp(parts[(split * length) + MaxPlace] - max);
        Group.Barrier();

        float total = 0;
        for (int split = 0; split < a.Splits; split++) total += factors[split] * parts[(split * length) + SumPlace];
        var output = a.Output.SubView((long)Grid.IdxX * a.ValueSize, a.ValueSize);
        for (int d = Group.IdxX; d < a.ValueSize; d += Group.DimX)
        {
            float sum = 0;
            for (int split = 0; split < a.Splits; split++) sum += factors[split] * parts[(split * length) + ValuesPlace + d];
            output[d] = total == 0 ? 0 : sum / total;
        }
    }

    internal struct Arguments
    {
        public ArrayView<float> Parts;
        public ArrayView<float> Output;
        public int Splits;
        public int ValueSize;
    }
}
