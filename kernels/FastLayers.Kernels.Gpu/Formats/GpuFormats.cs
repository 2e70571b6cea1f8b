using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Something done with the structure of a block format.</summary>
internal interface IGpuBlockVisitor<TResult>
{
    /// <summary>Called with the structure that belongs to <paramref name="format"/>.</summary>
    TResult Visit<TBlock>(Format format) where TBlock : struct, IGpuBlock;
}

/// <summary>Something done with the structure of a float format.</summary>
internal interface IGpuFloatVisitor<TResult>
{
    /// <summary>Called with the structure that belongs to <paramref name="format"/>, and the type of its elements in memory.</summary>
    TResult Visit<TElement, TFloat>(Format format)
        where TElement : unmanaged
        where TFloat : struct, IGpuFloat<TElement>;
}

/// <summary>Something done with the structure of any format.</summary>
internal interface IGpuFormatVisitor<TResult> : IGpuBlockVisitor<TResult>, IGpuFloatVisitor<TResult>;

/// <summary>Which structure reads which format.</summary>
internal static class GpuFormats
{
    /// <summary>The block formats that the kernels read.</summary>
    public static IReadOnlyList<Format> Blocks { get; } =
    [
        Format.Q4_0, Format.Q4_1, Format.Q5_0, Format.Q5_1, Format.Q8_0, Format.Q8_1,
        Format.Q2_K, Format.Q3_K, Format.Q4_K, Format.Q5_K, Format.Q6_K, Format.Q8_K,
        Format.IQ4_NL, Format.IQ4_XS, Format.TQ1_0, Format.TQ2_0, Format.MXFP4, Format.NVFP4, Format.Q1_0, Format.Q2_0,
    ];

    /// <summary>The float formats.</summary>
    public static IReadOnlyList<Format> Floats { get; } = [Format.F32, Format.F16, Format.BF16];

    /// <summary>Whether a format is a block format that the kernels read.</summary>
    public static bool IsBlock(Format format) => Blocks.Contains(format);

    /// <summary>Calls the visitor with the structure of a format.</summary>
    public static TResult VisitAny<TResult>(Format format, IGpuFormatVisitor<TResult> visitor) =>
        IsBlock(format) ? Visit(format, (IGpuBlockVisitor<TResult>)visitor) : Visit(format, (IGpuFloatVisitor<TResult>)visitor);

    /// <summary>Calls the visitor with the structure of a block format.</summary>
    /// <exception cref="NotSupportedException">There is none.</exception>
    public static TResult Visit<TResult>(Format format, IGpuBlockVisitor<TResult> visitor) => format.Name switch
    {
        "q4_0" => visitor.Visit<GpuQ4_0>(format),
        "q4_1" => visitor.Visit<GpuQ4_1>(format),
        "q5_0" => visitor.Visit<GpuQ5_0>(format),
        "q5_1" => visitor.Visit<GpuQ5_1>(format),
        "q8_0" => visitor.Visit<GpuQ8_0>(format),
        "q8_1" => visitor.Visit<GpuQ8_1>(format),
        "q2_k" => visitor.Visit<GpuQ2_K>(format),
        "q3_k" => visitor.Visit<GpuQ3_K>(format),
        "q4_k" => visitor.Visit<GpuQ4_K>(format),
        "q5_k" => visitor.Visit<GpuQ5_K>(format),
        "q6_k" => visitor.Visit<GpuQ6_K>(format),
        "q8_k" => visitor.Visit<GpuQ8_K>(format),
        "iq4_nl" => visitor.Visit<GpuIQ4_NL>(format),
        "iq4_xs" => visitor.Visit<GpuIQ4_XS>(format),
        "tq1_0" => visitor.Visit<GpuTQ1_0>(format),
        "tq2_0" => visitor.Visit<GpuTQ2_0>(format),
        "mxfp4" => visitor.Visit<GpuMXFP4>(format),
        "nvfp4" => visitor.Visit<GpuNVFP4>(format),
        "q1_0" => visitor.Visit<GpuQ1_0>(format),
        "q2_0" => visitor.Visit<GpuQ2_0>(format),
        _ => throw new NotSupportedException($"The GPU kernels have no blocks of {format.Name}."),
    };

    /// <summary>Calls the visitor with the structure of a float format.</summary>
    /// <exception cref="NotSupportedException">It is none.</exception>
    public static TResult Visit<TResult>(Format format, IGpuFloatVisitor<TResult> visitor) => format.Name switch
    {
        "f32" => visitor.Visit<float, GpuF32>(format),
        "f16" => visitor.Visit<ushort, GpuF16>(format),
        "bf16" => visitor.Visit<ushort, GpuBF16>(format),
        _ => throw new NotSupportedException($"{format.Name} is no float format."),
    };
}
