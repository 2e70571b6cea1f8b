using ILGPU;

namespace FastLayers.Kernels.Gpu.Quantize;

/// <summary>TQ1_0, TQ2_0, Q2_0 (levels -1, 0 and 1 of the largest magnitude) and Q1_0 (signs of the mean magnitude).</summary>
internal static class TernaryEncoders
{
    internal readonly struct TQ1_0 : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero)
        {
            float inverse = StoreScale(x, 256, rest);
            for (int word = 0; word < 8; word++) codes[word] = Word(x, 4 * word, 32, 5, inverse);
            for (int word = 0; word < 4; word++) codes[8 + word] = Word(x, 160 + (4 * word), 16, 5, inverse);
            codes[12] = Word(x, 240, 4, 4, inverse);
        }

        /// <summary>Four bytes; the digits of each belong to values <paramref name="stride"/> apart.</summary>
        private static int Word(ArrayView<float> x, int start, int stride, int digits, float inverse)
        {
            int packed = 0;
            for (int b = 0; b < 4; b++)
            {
                int number = 0;
                for (int digit = 0; digit < digits; digit++) number = (3 * number) + ExactFloat.Trit(x[start + b + (stride * digit)] * inverse);
                if (digits < 5) number *= 3;

                // number / 243 as a fraction of 256, rounded up so that every digit comes back.
                packed |= (((number * 256) + 242) / 243) << (8 * b);
            }

            return packed;
        }
    }

    internal readonly struct TQ2_0 : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero)
        {
            float inverse = StoreScale(x, 256, rest);
            for (int word = 0; word < 16; word++)
            {
                int start = ((word >> 3) * 128) + ((word & 7) * 4);
                int packed = 0;
                for (int b = 0; b < 4; b++)
                {
                    for (int k = 0; k < 4; k++) packed |= ExactFloat.Trit(x[start + b + (32 * k)] * inverse) << ((8 * b) + (2 * k));
                }

                codes[word] = packed;
            }
        }
    }

    internal readonly struct Q2_0 : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero)
        {
            float inverse = StoreScale(x, 64, rest);
            for (int word = 0; word < 4; word++)
            {
                int packed = 0;
                for (int i = 0; i < 16; i++) packed |= ExactFloat.Trit(x[(16 * word) + i] * inverse) << (2 * i);
                codes[word] = packed;
            }
        }
    }

    internal readonly struct Q1_0 : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero)
        {
            // One after the other: the rounding of the sum decides the scale.
            float sum = 0;
            for (int word = 0; word < 4; word++)
            {
                int packed = 0;
                for (int i = 0; i < 32; i++)
                {
                    float value = x[(32 * word) + i];
                    sum += Interop.IntAsFloat((uint)ExactFloat.MagnitudeBits(value));
                    packed |= (value >= 0 ? 1 : 0) << i;
                }

                codes[word] = packed;
            }

            ExactFloat.StoreHalf(rest, 0, sum / 128);
        }
    }

    /// <summary>Stores the largest magnitude; returns its inverse.</summary>
    private static float StoreScale(ArrayView<float> x, int count, ArrayView<byte> rest)
    {
        float scale = ExactFloat.LargestMagnitude(x, 0, count);
        ExactFloat.StoreHalf(rest, 0, scale);
        return ExactFloat.InverseOrZero(scale);
    }
}
