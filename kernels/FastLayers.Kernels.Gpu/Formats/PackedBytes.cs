using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Arithmetic on four bytes in an integer, and loads from bytes.</summary>
internal static class PackedBytes
{
    /// <summary>Subtracts a number up to 128 from each of four bytes below 128, each by itself.</summary>
    public static int SubtractEach(int bytes, int subtrahend)
    {
        // With the top bit of each byte set no byte borrows from its neighbor; then that bit is turned into the sign.
        // Checked, so that OpenCL text adds unsigned numbers: where a signed sum leaves its range compilers may do as they like.
        uint sum = checked((uint)bytes + (0x80808080 - ((uint)subtrahend * 0x01010101)));
        return (int)(sum ^ 0x80808080);
    }

    /// <summary>Byte <paramref name="index"/> of four, signed.</summary>
    public static int Signed(int bytes, int index) => (bytes << (24 - (8 * index))) >> 24;

    /// <summary>The lowest four bits as four bytes of 0 or 1, the lowest bit in the lowest byte.</summary>
    public static int SpreadBits(int bits) => ((bits & 15) * 0x00204081) & 0x01010101;

    /// <summary>The half-precision float at an even offset.</summary>
    public static float Half(ArrayView<byte> bytes, int offset) => GpuF16.ToFloat(bytes.SubView(offset, 2).Cast<ushort>()[0]);
}
