using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.Formats;

/// <summary>The loops over blocks, written once for every quantized format.</summary>
internal sealed unsafe class Format<TBlock> : Format where TBlock : unmanaged, IQuantizedBlock<TBlock>
{
    public Format() : base(TBlock.Traits)
    {
        if (sizeof(TBlock) != BlockBytes)
            throw new InvalidOperationException($"{Name}: the block struct has {sizeof(TBlock)} bytes, the format {BlockBytes}.");
    }

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        int count = BlockCount(blocks);
        RequireLength(nameof(values), (long)count * BlockLength, values.Length);

        int groupCount = BlockLength / GroupLength;
        sbyte* codes = stackalloc sbyte[BlockLength];
        float* scales = stackalloc float[groupCount];
        float* minimums = stackalloc float[groupCount];
        new Span<float>(minimums, groupCount).Clear();
        fixed (byte* first = blocks)
        fixed (float* output = values)
        {
            float* y = output;
            for (int b = 0; b < count; b++)
            {
                TBlock.UnpackVectorized((TBlock*)first + b, codes, scales, minimums);
                for (int i = 0; i < BlockLength; i += 8, y += 8)
                {
                    Vector128<short> wide = Vector128.WidenLower(Vector128.CreateScalar(*(ulong*)(codes + i)).AsSByte());
                    Vector256<int> whole = Vector256.Create(Vector128.WidenLower(wide), Vector128.WidenUpper(wide));
                    int g = i / TBlock.Traits.GroupLength;
                    (Vector256.ConvertToSingle(whole) * scales[g] - Vector256.Create(minimums[g])).Store(y);
                }
            }
        }
    }

    public override void Encode(ReadOnlySpan<float> values, Span<byte> blocks, ReadOnlySpan<float> importance = default)
    {
        int count = BlockCountToEncode(values.Length, blocks.Length, importance.Length);
        RequireFinite(values);
        fixed (float* x = values)
        fixed (float* weights = importance)
        fixed (byte* first = blocks)
        {
            for (int b = 0; b < count; b++)
            {
                long start = (long)b * BlockLength;
                TBlock.Encode(x + start, weights == null ? null : weights + start, (TBlock*)first + b);
            }
        }
    }

    public override void Unpack(ReadOnlySpan<byte> blocks, Span<sbyte> codes, Span<float> scales, Span<float> minimums)
    {
        int count = RequireUnpackLengths(blocks, codes, scales, minimums);
        fixed (byte* first = blocks)
        fixed (sbyte* c = codes)
        fixed (float* s = scales)
        fixed (float* m = minimums)
            UnpackBlocks<Vectorized>((TBlock*)first, count, c, s, m);
    }

    /// <summary>The scalar definition of <see cref="Unpack"/>, which vectorized ways are compared with.</summary>
    internal override void UnpackScalar(ReadOnlySpan<byte> blocks, Span<sbyte> codes, Span<float> scales, Span<float> minimums)
    {
        int count = RequireUnpackLengths(blocks, codes, scales, minimums);
        fixed (byte* first = blocks)
        fixed (sbyte* c = codes)
        fixed (float* s = scales)
        fixed (float* m = minimums)
            UnpackBlocks<Definition>((TBlock*)first, count, c, s, m);
    }

    private interface IUnpacking
    {
        static abstract void Unpack(TBlock* block, sbyte* codes, float* scales, float* minimums);
    }

    private readonly struct Definition : IUnpacking
    {
        public static void Unpack(TBlock* block, sbyte* codes, float* scales, float* minimums) => TBlock.Unpack(block, codes, scales, minimums);
    }

    private readonly struct Vectorized : IUnpacking
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Unpack(TBlock* block, sbyte* codes, float* scales, float* minimums) =>
            TBlock.UnpackVectorized(block, codes, scales, minimums);
    }

    private static void UnpackBlocks<TUnpacking>(TBlock* blocks, int count, sbyte* codes, float* scales, float* minimums)
        where TUnpacking : IUnpacking
    {
        int length = TBlock.Traits.BlockLength, groupCount = length / TBlock.Traits.GroupLength;
        for (int b = 0; b < count; b++)
        {
            TUnpacking.Unpack(blocks + b, codes, scales, minimums);
            codes += length;
            scales += groupCount;
            minimums += groupCount;
        }
    }

    public override bool HasFiniteScales(ReadOnlySpan<byte> blocks)
    {
        int count = BlockCount(blocks);
        fixed (byte* first = blocks)
        {
            for (int b = 0; b < count; b++)
            {
                if (!TBlock.HasFiniteScales((TBlock*)first + b))
                    return false;
            }
        }
        return true;
    }

    /// <summary>No block can store an infinity or a NaN; throws at the first of them.</summary>
    private void RequireFinite(ReadOnlySpan<float> values)
    {
        const int magnitude = 0x7FFFFFFF, largestFinite = 0x7F7FFFFF;
        Vector256<int> found = default;
        int i = 0;
        fixed (float* x = values)
        {
            for (; i <= values.Length - 8; i += 8)
                found |= Vector256.GreaterThan(Vector256.Load((int*)x + i) & Vector256.Create(magnitude), Vector256.Create(largestFinite));
        }
        if (found == default)
            return;
        for (i = 0; float.IsFinite(values[i]); i++)
        {
        }
        throw new ArgumentException($"{Name} stores finite values only; value {i} is {values[i]}.", nameof(values));
    }

    private int RequireUnpackLengths(ReadOnlySpan<byte> blocks, Span<sbyte> codes, Span<float> scales, Span<float> minimums)
    {
        int count = BlockCount(blocks);
        long valueCount = (long)count * TBlock.Traits.BlockLength, groupCount = valueCount / TBlock.Traits.GroupLength;
        RequireLength(nameof(codes), valueCount, codes.Length);
        RequireLength(nameof(scales), groupCount, scales.Length);
        if (TBlock.Traits.HasMinimums)
        {
            RequireLength(nameof(minimums), groupCount, minimums.Length);
        }
        else if (!minimums.IsEmpty)
        {
            RequireLength(nameof(minimums), groupCount, minimums.Length);
            minimums.Clear();
        }
        return count;
    }
}
