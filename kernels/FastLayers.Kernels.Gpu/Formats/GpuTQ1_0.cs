using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>
/// TQ1_0: <c>d · (trit - 1)</c>. A byte is a fraction of 256 in base 3, digit n belongs to the n-th value of the byte: bytes 0 to 31 have
/// values m + 32n, bytes 32 to 47 values 160 + m + 16n, bytes 48 to 51 values 240 + m + 4n.
/// </summary>
internal readonly struct GpuTQ1_0 : IGpuBlock
{
    /// <summary>3^n in byte n.</summary>
    private const long PowersOfThree = 0x51_1B_09_03_01;

    public int BlockLength => 256;

    public int GroupLength => 32;

    public int CodeOffset => 0;

    public int CodeBytes => 52;

    public int RestBytes => 2;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad)
    {
        int word = quad < 40 ? quad & 7 : quad < 60 ? 8 + (quad & 3) : 12;
        int digit = quad < 40 ? quad >> 3 : quad < 60 ? (quad - 40) >> 2 : quad - 60;
        int power = (int)(PowersOfThree >> (digit * 8)) & 0xFF;
        int packed = codes[(block * 13) + word];

        // Two bytes at a time, with room for the products: digits before this one overflow the byte and are cut off.
        int even = (((packed & 0x00FF00FF) * power) & 0x00FF00FF) * 3;
        int odd = ((((packed >> 8) & 0x00FF00FF) * power) & 0x00FF00FF) * 3;
        return PackedBytes.SubtractEach(((even >> 8) & 0x00030003) | (odd & 0x03000300), 1);
    }

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, block * 2);

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
