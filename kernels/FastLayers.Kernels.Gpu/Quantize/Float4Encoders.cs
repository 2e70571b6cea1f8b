using FastLayers.Kernels.Gpu.Formats;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Quantize;

/// <summary>MXFP4 and NVFP4: 4-bit floats (E2M1) with a power of two for 32 values or an 8-bit float for 16.</summary>
internal static class Float4Encoders
{
    // Twice the magnitudes of the nibbles 0 to 7, a byte each.
    private const long Magnitudes = 0x0C08_0604_0302_0100;

    internal readonly struct MXFP4 : IGpuEncoder
    {
        // The largest 4-bit float is 6 = 1.5 · 2^2.
        private const int LargestExponent = 2;

        private const float InverseOfNaturalLog2 = 1.442695f;

        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero)
        {
            int exponent = ExponentOf(ExactFloat.MagnitudeBits(ExactFloat.LargestMagnitude(x, 0, 32)));
            rest[0] = (byte)exponent;
            Pack(x, 0, 16, GpuMXFP4.ScaleOf(exponent), codes, 0);
        }

        /// <summary>
        /// ⌊log2 x⌋ - 2 + 127, limited to 0 to 254, where log2 is rounded to float32: just below a power of two it gives that power.
        /// </summary>
        internal static int ExponentOf(int bits)
        {
            int power = (bits >> 23) - 127;

            // x = 2^next · (1 - below · 2^-24): log2 x is next - below · 2^-24 / ln 2, and rounds to next if that is less than half of the
            // distance of floats there, 2^-24 · 2^⌊log2 |next|⌋, or half of that where a positive next is a power of two itself.
            int next = power + 1;
            int below = 0x0080_0000 - (bits & 0x007F_FFFF);
            int size = next < 0 ? -next : next > 0 ? next - 1 : 0;
            int distance = 0;
            for (int bit = 64; bit > 0; bit >>= 1) distance = distance == 0 && size >= bit ? bit : distance;
            if (below < 128 && below * InverseOfNaturalLog2 < distance) power = next;
            return bits == 0 ? 0 : ExactFloat.Limit(power - LargestExponent + 127, 0, 254);
        }
    }

    internal readonly struct NVFP4 : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero)
        {
            for (int s = 0; s < 4; s++)
            {
                int scale = GpuUE4M3.FromFloat(ExactFloat.LargestMagnitude(x, 16 * s, 16) / 6);
                rest[s] = (byte)scale;
                Pack(x, 16 * s, 8, 0.5f * GpuUE4M3.ToFloat(scale), codes, 2 * s);
            }
        }
    }

    /// <summary>Two times <paramref name="half"/> values, the first half of them in the low nibbles.</summary>
    private static void Pack(ArrayView<float> x, int start, int half, float scale, ArrayView<int> codes, int firstWord)
    {
        for (int word = 0; word < half / 4; word++)
        {
            int packed = 0;
            for (int b = 0; b < 4; b++)
            {
                int j = start + (4 * word) + b;
                packed |= (Nearest(x[j], scale) | (Nearest(x[j + half], scale) << 4)) << (8 * b);
            }

            codes[firstWord + word] = packed;
        }
    }

    /// <summary>The nibble nearest to a value; of equally near ones the first. Products of a scale and a level are exact.</summary>
    private static int Nearest(float value, float scale)
    {
        float magnitude = Interop.IntAsFloat((uint)ExactFloat.MagnitudeBits(value));
        int best = 0;
        float bestDistance = magnitude;
        for (int nibble = 1; nibble < 8; nibble++)
        {
            float difference = ((int)(Magnitudes >> (8 * nibble)) & 0xFF) * scale;
            difference -= magnitude;
            float distance = Interop.IntAsFloat((uint)ExactFloat.MagnitudeBits(difference));
            best = distance < bestDistance ? nibble : best;
            bestDistance = distance < bestDistance ? distance : bestDistance;
        }

        return value < 0 && best > 0 ? best + 8 : best;
    }
}
