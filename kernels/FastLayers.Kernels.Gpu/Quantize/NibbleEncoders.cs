using ILGPU;

namespace FastLayers.Kernels.Gpu.Quantize;

/// <summary>
/// Q4_0, Q4_1, Q5_0 and Q5_1: low nibbles are values 0 to 15, high ones 16 to 31; with five bits the word of the fifth bits comes first.
/// </summary>
internal static class NibbleEncoders
{
    private const int Length = 32;

    internal readonly struct Q4_0 : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero) => Symmetric(x, codes, rest, 8, zero);
    }

    internal readonly struct Q5_0 : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero) => Symmetric(x, codes, rest, 16, zero);
    }

    internal readonly struct Q4_1 : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero) => Affine(x, codes, rest, 15, zero);
    }

    internal readonly struct Q5_1 : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero) => Affine(x, codes, rest, 31, zero);
    }

    /// <summary>The value of largest magnitude becomes the lowest code.</summary>
    private static void Symmetric(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int half, int zero)
    {
        float scale = ExactFloat.OfLargestMagnitude(x, Length) / -half;
        ExactFloat.StoreHalf(rest, 0, scale);
        Pack(x, codes, 0, ExactFloat.InverseOrZero(scale), half + 0.5f, (2 * half) - 1, zero);
    }

    /// <summary>The range of the values is divided into equal steps.</summary>
    private static void Affine(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int highest, int zero)
    {
        float lowest = x[0];
        float largest = x[0];
        for (int i = 1; i < Length; i++)
        {
            float value = x[i];
            lowest = value < lowest ? value : lowest;
            largest = value > largest ? value : largest;
        }

        float scale = (largest - lowest) / highest;
        ExactFloat.StoreHalf(rest, 0, scale);
        ExactFloat.StoreHalf(rest, 2, lowest);
        Pack(x, codes, lowest, ExactFloat.InverseOrZero(scale), 0.5f, highest, zero);
    }

    private static void Pack(ArrayView<float> x, ArrayView<int> codes, float lowest, float inverse, float addend, int highest, int zero)
    {
        int firstWord = highest > 15 ? 1 : 0;
        int fifthBits = 0;
        for (int word = 0; word < Length / 8; word++)
        {
            int packed = 0;
            for (int b = 0; b < 4; b++)
            {
                int j = (4 * word) + b;
                int low = ExactFloat.Truncate(ExactFloat.Product(x[j] - lowest, inverse, zero) + addend, highest);
                int high = ExactFloat.Truncate(ExactFloat.Product(x[j + 16] - lowest, inverse, zero) + addend, highest);
                packed |= ((low & 15) | ((high & 15) << 4)) << (8 * b);
                fifthBits |= ((low >> 4) << j) | ((high >> 4) << (j + 16));
            }

            codes[firstWord + word] = packed;
        }

        if (highest > 15) codes[0] = fifthBits;
    }
}
