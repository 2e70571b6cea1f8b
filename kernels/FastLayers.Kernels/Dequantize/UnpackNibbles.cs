using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Dequantize;

/// <summary>
/// Unpacking of formats with 32 values in 16 bytes, low nibbles first, and where they have five bits the fifth bits as a bit set: a mask and a
/// shift for 16 values each, two stores. Bound by the stores.
/// </summary>
internal static unsafe class UnpackNibbles
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q4_0(BlockQ4_0* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        (Vector128<byte> low, Vector128<byte> high) = Split(block->Nibbles);
        Vector128<byte> zero = Vector128.Create((byte)8);
        (low - zero).Store((byte*)codes);
        (high - zero).Store((byte*)codes + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q4_1(BlockQ4_1* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        minimums[0] = -block->Offset.Value;
        (Vector128<byte> low, Vector128<byte> high) = Split(block->Nibbles);
        low.Store((byte*)codes);
        high.Store((byte*)codes + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q5_0(BlockQ5_0* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        (Vector128<byte> low, Vector128<byte> high) = Split(block->Nibbles);
        // Where the fifth bit is missing, 16 is taken away.
        Vector128<byte> sixteen = Vector128.Create((byte)16);
        (low - Vector128.AndNot(sixteen, WhereSet(block->FifthBits))).Store((byte*)codes);
        (high - Vector128.AndNot(sixteen, WhereSet(block->FifthBits >> 16))).Store((byte*)codes + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q5_1(BlockQ5_1* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        minimums[0] = -block->Offset.Value;
        (Vector128<byte> low, Vector128<byte> high) = Split(block->Nibbles);
        Vector128<byte> sixteen = Vector128.Create((byte)16);
        (low | sixteen & WhereSet(block->FifthBits)).Store((byte*)codes);
        (high | sixteen & WhereSet(block->FifthBits >> 16)).Store((byte*)codes + 16);
    }

    /// <summary>The low and the high nibbles of 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (Vector128<byte> Low, Vector128<byte> High) Split(byte* bytes)
    {
        Vector128<byte> packed = Vector128.Load(bytes), mask = Vector128.Create((byte)15);
        return (packed & mask, (packed.AsUInt16() >> 4).AsByte() & mask);
    }

    /// <summary>All bits of byte j set where bit j is set, for the lower 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> WhereSet(uint bits)
    {
        Vector128<byte> bitOfByte = Vector128.Create(0x8040201008040201).AsByte();
        Vector128<byte> spread = Vector128.Shuffle(
            Vector128.CreateScalarUnsafe(bits).AsByte(), Vector128.Create((byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
        return Vector128.Equals(spread & bitOfByte, bitOfByte);
    }
}
