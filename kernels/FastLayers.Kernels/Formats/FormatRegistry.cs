using System.Diagnostics.CodeAnalysis;

namespace FastLayers.Kernels.Formats;

public abstract partial class Format
{
    /// <summary>32-bit floats, as they are.</summary>
    public static Format F32 { get; } = new FloatFormatF32();

    /// <summary>IEEE 16-bit floats.</summary>
    public static Format F16 { get; } = new FloatFormatF16();

    /// <summary>The upper halves of 32-bit floats.</summary>
    public static Format BF16 { get; } = new FloatFormatBF16();

    /// <summary>4 bits, one scale for 32 values.</summary>
    public static Format Q4_0 { get; } = new Format<BlockQ4_0>();

    /// <summary>4 bits, one scale and minimum for 32 values.</summary>
    public static Format Q4_1 { get; } = new Format<BlockQ4_1>();

    /// <summary>5 bits, one scale for 32 values.</summary>
    public static Format Q5_0 { get; } = new Format<BlockQ5_0>();

    /// <summary>5 bits, one scale and minimum for 32 values.</summary>
    public static Format Q5_1 { get; } = new Format<BlockQ5_1>();

    /// <summary>8 bits, one scale for 32 values.</summary>
    public static Format Q8_0 { get; } = new Format<BlockQ8_0>();

    /// <summary>8 bits, one scale for 32 values, with the sum of the block: activations met by formats with minimums.</summary>
    public static Format Q8_1 { get; } = new Format<BlockQ8_1>();

    /// <summary>2 bits in blocks of 256, 4-bit scales and minimums for 16 values.</summary>
    public static Format Q2_K { get; } = new Format<BlockQ2_K>();

    /// <summary>3 bits in blocks of 256, 6-bit scales for 16 values.</summary>
    public static Format Q3_K { get; } = new Format<BlockQ3_K>();

    /// <summary>4 bits in blocks of 256, 6-bit scales and minimums for 32 values.</summary>
    public static Format Q4_K { get; } = new Format<BlockQ4_K>();

    /// <summary>5 bits in blocks of 256, 6-bit scales and minimums for 32 values.</summary>
    public static Format Q5_K { get; } = new Format<BlockQ5_K>();

    /// <summary>6 bits in blocks of 256, 8-bit scales for 16 values.</summary>
    public static Format Q6_K { get; } = new Format<BlockQ6_K>();

    /// <summary>8 bits, one float32 scale for 256 values, with sums of 16: activations met by the K formats.</summary>
    public static Format Q8_K { get; } = new Format<BlockQ8_K>();

    /// <summary>4 bits on an uneven grid of levels, one scale for 32 values.</summary>
    public static Format IQ4_NL { get; } = new Format<BlockIQ4_NL>();

    /// <summary>4 bits on an uneven grid of levels in blocks of 256, 6-bit scales for 32 values.</summary>
    public static Format IQ4_XS { get; } = new Format<BlockIQ4_XS>();

    /// <summary>Ternary, five values a byte, one scale for 256 values.</summary>
    public static Format TQ1_0 { get; } = new Format<BlockTQ1_0>();

    /// <summary>Ternary, four values a byte, one scale for 256 values.</summary>
    public static Format TQ2_0 { get; } = new Format<BlockTQ2_0>();

    /// <summary>4-bit floats (E2M1), one power of two for 32 values.</summary>
    public static Format MXFP4 { get; } = new Format<BlockMXFP4>();

    /// <summary>4-bit floats (E2M1), one 8-bit float scale for 16 values.</summary>
    public static Format NVFP4 { get; } = new Format<BlockNVFP4>();

    /// <summary>Signs, one scale for 128 values.</summary>
    public static Format Q1_0 { get; } = new Format<BlockQ1_0>();

    /// <summary>2 bits (levels -1, 0, 1, 2), one scale for 64 values.</summary>
    public static Format Q2_0 { get; } = new Format<BlockQ2_0>();

    /// <summary>Every format, in the order of <see cref="TypeId"/>.</summary>
    public static IReadOnlyList<Format> All { get; } =
    [
        F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q8_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, Q8_K,
        IQ4_NL, IQ4_XS, BF16, TQ1_0, TQ2_0, MXFP4, NVFP4, Q1_0, Q2_0,
    ];

    /// <summary>The format with this GGUF type number.</summary>
    /// <exception cref="NotSupportedException">A codebook format (IQ1_S, IQ2_XXS, …) or a format removed from the specification; the message names it.</exception>
    /// <exception cref="InvalidDataException">No tensor format has this number.</exception>
    public static Format FromTypeId(int id)
    {
        if (TryFromTypeId(id, out Format? format))
            return format;
        if (CodebookName(id) is { } codebook)
            throw new NotSupportedException($"Format {codebook} (type {id}) stores indices into a codebook, which is not supported.");
        if (RemovedName(id) is { } removed)
            throw new NotSupportedException($"Format {removed} (type {id}) was removed from GGUF; store the tensor in a current format.");
        throw new InvalidDataException($"Unknown tensor format: expected a type number of {All[0].TypeId} to {All[^1].TypeId}, found {id}.");
    }

    /// <summary>Looks a format up by its GGUF type number; false where <see cref="FromTypeId"/> throws.</summary>
    public static bool TryFromTypeId(int id, [NotNullWhen(true)] out Format? format) => (format = All.FirstOrDefault(f => f.TypeId == id)) is not null;

    /// <summary>Looks a format up by its <see cref="Name"/>, in upper or lower case.</summary>
    public static bool TryParse(string? name, [NotNullWhen(true)] out Format? format) =>
        (format = All.FirstOrDefault(f => string.Equals(f.Name, name, StringComparison.OrdinalIgnoreCase))) is not null;

    private static string? CodebookName(int id) => id switch
    {
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        21 => "IQ3_S",
        22 => "IQ2_S",
        29 => "IQ1_M",
        _ => null,
    };

    private static string? RemovedName(int id) => id switch
    {
        4 => "Q4_2",
        5 => "Q4_3",
        31 => "Q4_0_4_4",
        32 => "Q4_0_4_8",
        33 => "Q4_0_8_8",
        36 => "IQ4_NL_4_4",
        37 => "IQ4_NL_4_8",
        38 => "IQ4_NL_8_8",
        _ => null,
    };
}
