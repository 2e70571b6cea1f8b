using System.Runtime.CompilerServices;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// One storage format of tensor values: how values are packed into blocks of bytes, and back.
/// </summary>
/// <remarks>
/// A row of a tensor is a sequence of blocks of <see cref="BlockLength"/> values in <see cref="BlockBytes"/> bytes, little-endian.
/// Every quantized format stores <c>value = scale * code - minimum</c> with an 8-bit signed code, evaluated in float32 in exactly that
/// order; <see cref="Unpack"/> gives the three parts, <see cref="Decode"/> the product. Instances are immutable and shared.
/// </remarks>
public abstract partial class Format
{
    private protected Format(FormatTraits traits)
    {
        Name = traits.Name;
        TypeId = traits.TypeId;
        BlockLength = traits.BlockLength;
        BlockBytes = traits.BlockBytes;
        GroupLength = traits.GroupLength;
        HasMinimums = traits.HasMinimums;
    }

    /// <summary>The unique lower-case name, for example <c>q4_0</c>.</summary>
    public string Name { get; }

    /// <summary>The type number GGUF files store.</summary>
    public int TypeId { get; }

    /// <summary>Values in one block.</summary>
    public int BlockLength { get; }

    /// <summary>Bytes of one block.</summary>
    public int BlockBytes { get; }

    /// <summary>
    /// Values that share one scale after <see cref="Unpack"/>: 16 or 32, and 0 for F32, F16 and BF16.
    /// Formats whose scale covers more than 32 values report 32 and repeat the scale.
    /// </summary>
    public int GroupLength { get; }

    /// <summary>Whether <see cref="Unpack"/> can give minimums other than zero.</summary>
    public bool HasMinimums { get; }

    /// <summary>Stored bits per value, scales included.</summary>
    public double BitsPerWeight => 8.0 * BlockBytes / BlockLength;

    /// <summary>Bytes of one row of <paramref name="columns"/> values.</summary>
    /// <exception cref="ArgumentException"><paramref name="columns"/> is negative or not a multiple of <see cref="BlockLength"/>.</exception>
    public long RowBytes(long columns)
    {
        if (columns < 0 || columns % BlockLength != 0)
            throw new ArgumentException($"A row of {Name} needs a multiple of {BlockLength} columns; found {columns}.", nameof(columns));
        return checked(columns / BlockLength * BlockBytes);
    }

    /// <summary>Turns blocks into float32 values. Uses the vector instructions of the machine, allocates nothing, and gives exactly
    /// what the scalar definition of <see cref="Unpack"/> gives.</summary>
    /// <param name="blocks">Whole blocks.</param>
    /// <param name="values">Receives <see cref="BlockLength"/> values for each block; exactly that long. Must not overlap the blocks.</param>
    /// <exception cref="ArgumentException">A length is not the expected one.</exception>
    public abstract void Decode(ReadOnlySpan<byte> blocks, Span<float> values);

    /// <summary>
    /// Packs float32 values into blocks. Formats with a fixed rule give the bytes ggml's reference encoder gives; the others
    /// (Q2_K to Q6_K, IQ4_NL, IQ4_XS) search for the scales with the least squared error.
    /// </summary>
    /// <param name="values">
    /// A multiple of <see cref="BlockLength"/> values, finite unless the format stores floats. Values too large for the scales a format can
    /// store give scales that are not finite (see <see cref="HasFiniteScales"/>).
    /// </param>
    /// <param name="blocks">Receives the blocks; exactly as long as needed. Must not overlap the values.</param>
    /// <param name="importance">
    /// Empty, or one weight of the squared error for each value, not negative. Formats with a choice of scale then search for the scale
    /// with the least weighted squared error; the float formats, Q8_*, ternary, Q1_0, Q2_0, MXFP4 and NVFP4 have no use for it.
    /// </param>
    /// <exception cref="ArgumentException">A length is not the expected one, or a value to be quantized is not finite.</exception>
    public abstract void Encode(ReadOnlySpan<float> values, Span<byte> blocks, ReadOnlySpan<float> importance = default);

    /// <summary>
    /// Splits blocks into codes, scales and minimums: <c>value[i] = scales[i/g] * codes[i] - minimums[i/g]</c>, where g is
    /// <see cref="GroupLength"/>. Uses the vector instructions of the machine, allocates nothing, and gives exactly what the scalar definition gives.
    /// </summary>
    /// <param name="blocks">Whole blocks.</param>
    /// <param name="codes">One code for each value.</param>
    /// <param name="scales">One scale for each group.</param>
    /// <param name="minimums">One minimum for each group. May be empty where <see cref="HasMinimums"/> is false, else is set to zeros there.</param>
    /// <exception cref="NotSupportedException">The format stores floats, which have no codes.</exception>
    /// <exception cref="ArgumentException">A length is not the expected one.</exception>
    public virtual void Unpack(ReadOnlySpan<byte> blocks, Span<sbyte> codes, Span<float> scales, Span<float> minimums) =>
        throw new NotSupportedException($"{Name} stores floats: it has no codes and scales to unpack.");

    /// <summary>The scalar definition of <see cref="Unpack"/>.</summary>
    internal virtual void UnpackScalar(ReadOnlySpan<byte> blocks, Span<sbyte> codes, Span<float> scales, Span<float> minimums) =>
        Unpack(blocks, codes, scales, minimums);

    /// <summary>
    /// False if a stored scale or minimum is infinite or not a number (for MXFP4: the exponent byte 255). Always true for the float formats,
    /// which have no scales.
    /// </summary>
    /// <exception cref="ArgumentException">The length is not a multiple of <see cref="BlockBytes"/>.</exception>
    public virtual bool HasFiniteScales(ReadOnlySpan<byte> blocks)
    {
        BlockCount(blocks);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Number of blocks; throws where the last is cut off.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected int BlockCount(ReadOnlySpan<byte> blocks)
    {
        int count = blocks.Length / BlockBytes;
        if (count * BlockBytes != blocks.Length)
            throw new ArgumentException($"{Name}: expected a multiple of {BlockBytes} bytes, found {blocks.Length}.", nameof(blocks));
        return count;
    }

    /// <summary>Checks that <paramref name="valueCount"/> values are whole blocks and fit <paramref name="byteCount"/> bytes; returns the number of blocks.</summary>
    private protected int BlockCountToEncode(int valueCount, int byteCount, int importanceCount)
    {
        int count = valueCount / BlockLength;
        RequireLength("values", (long)count * BlockLength, valueCount);
        RequireLength("blocks", (long)count * BlockBytes, byteCount);
        if (importanceCount != 0)
            RequireLength("importance", valueCount, importanceCount);
        return count;
    }

    /// <summary>Throws where <paramref name="found"/> is not <paramref name="expected"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected void RequireLength(string parameter, long expected, long found)
    {
        if (expected != found)
            ThrowLength(parameter, expected, found);
    }

    private void ThrowLength(string parameter, long expected, long found) =>
        throw new ArgumentException(
            $"{Name} (blocks of {BlockLength} values in {BlockBytes} bytes): {parameter} must have length {expected}, found {found}.", parameter);
}
