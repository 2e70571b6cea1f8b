using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Dequantize;

/// <summary>Unpacking of formats whose nibbles select one of 16 levels: the nibbles are the indices of a byte shuffle of the levels.</summary>
internal static unsafe class UnpackLevels
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void IQ4_NL(BlockIQ4_NL* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        Store(block->Nibbles, Vector128.Create(UnevenLevels.Codes), codes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MXFP4(BlockMXFP4* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = BlockMXFP4.ScaleOf(block->Exponent);
        Store(block->Nibbles, Vector128.Create(E2M1.Codes), codes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void IQ4_XS(BlockIQ4_XS* block, sbyte* codes, float* scales, float* minimums)
    {
        // Multiplying by a power of two for each lane moves nibble k, or pair of bits k, to the top of lane k.
        Vector256<uint> nibbles = Vector256.Create(*(uint*)block->ScaleNibbles) *
            Vector256.Create(1u << 28, 1u << 24, 1u << 20, 1u << 16, 1u << 12, 1u << 8, 1u << 4, 1u);
        Vector256<uint> pairs = Vector256.Create((uint)block->ScaleUpperBits) *
            Vector256.Create(1u << 30, 1u << 28, 1u << 26, 1u << 24, 1u << 22, 1u << 20, 1u << 18, 1u << 16);
        Vector256<uint> whole = nibbles >> 28 | pairs >> 30 << 4;
        (Vector256.ConvertToSingle(whole.AsInt32() - Vector256.Create(32)) * block->Scale.Value).Store(scales);

        Vector128<sbyte> levels = Vector128.Create(UnevenLevels.Codes);
        for (int k = 0; k < 8; k++)
            Store(block->Nibbles + 16 * k, levels, codes + 32 * k);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void NVFP4(BlockNVFP4* block, sbyte* codes, float* scales, float* minimums)
    {
        Vector128<ushort> wide = Vector128.WidenLower(Vector128.CreateScalar(*(uint*)block->Scales).AsByte());
        HalfOfUE4M3(Vector128.WidenLower(wide)).Store(scales);
        Vector128<sbyte> levels = Vector128.Create(E2M1.Codes);
        for (int s = 0; s < 4; s++)
        {
            ulong packed = ((ulong*)block->Nibbles)[s];
            Vector128<byte> nibbles = Vector128.Create(packed, packed >> 4).AsByte() & Vector128.Create((byte)15);
            Vector128.ShuffleNative(levels, nibbles.AsSByte()).Store(codes + 16 * s);
        }
    }

    /// <summary>Half the values of four UE4M3. A subnormal is read as 2^-6 plus its value, from which 2^-6 is taken away, all halved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> HalfOfUE4M3(Vector128<uint> bits)
    {
        const uint biasDifference = 127 - 7 - 1 << 23, smallestNormal = 1 << 23, notANumber = 0x7F << 20;
        Vector128<uint> shifted = (bits & Vector128.Create(0x7Fu)) << 20;
        Vector128<float> normal = (shifted + Vector128.Create(biasDifference)).AsSingle();
        Vector128<float> small = (shifted + Vector128.Create(biasDifference + smallestNormal)).AsSingle() - Vector128.Create(1f / 128);
        Vector128<float> value = Vector128.ConditionalSelect(
            Vector128.LessThan(shifted.AsInt32(), Vector128.Create((int)smallestNormal)).AsSingle(), small, normal);
        return Vector128.AndNot(value, Vector128.Equals(bits << 20, Vector128.Create(notANumber)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(byte* nibbles, Vector128<sbyte> levels, sbyte* codes)
    {
        (Vector128<byte> low, Vector128<byte> high) = UnpackNibbles.Split(nibbles);
        Vector128.ShuffleNative(levels, low.AsSByte()).Store(codes);
        Vector128.ShuffleNative(levels, high.AsSByte()).Store(codes + 16);
    }
}
