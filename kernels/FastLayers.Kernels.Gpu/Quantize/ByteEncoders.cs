using ILGPU;

namespace FastLayers.Kernels.Gpu.Quantize;

/// <summary>Q8_0, Q8_1 and Q8_K: a byte a value, the largest magnitude becomes 127.</summary>
internal static class ByteEncoders
{
    internal readonly struct Q8_0 : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero)
        {
            float scale = ExactFloat.LargestMagnitude(x, 0, 32) / 127;
            ExactFloat.StoreHalf(rest, 0, scale);
            Pack(x, codes, scale, zero);
        }
    }

    internal readonly struct Q8_1 : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero)
        {
            float scale = ExactFloat.LargestMagnitude(x, 0, 32) / 127;
            ExactFloat.StoreHalf(rest, 0, scale);
            ExactFloat.StoreHalf(rest, 2, Pack(x, codes, scale, zero) * scale);
        }
    }

    internal readonly struct Q8_K : IGpuEncoder
    {
        private const int Length = 256;

        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero)
        {
            float extreme = ExactFloat.OfLargestMagnitude(x, Length);
            float inverse = extreme == 0 ? 0 : -127 / extreme;
            rest.SubView(0, 4).Cast<float>()[0] = ExactFloat.InverseOrZero(inverse);
            var sums = rest.SubView(4, 32).Cast<ushort>();
            for (int sixteen = 0; sixteen < Length / 16; sixteen++)
            {
                int sum = 0;
                for (int word = 4 * sixteen; word < (4 * sixteen) + 4; word++)
                {
                    int packed = 0;
                    for (int b = 0; b < 4; b++)
                    {
                        int code = ExactFloat.Limit(ExactFloat.HalfToEven(ExactFloat.Product(x[(4 * word) + b], inverse, zero)), -127, 127);
                        sum += code;
                        packed |= (code & 0xFF) << (8 * b);
                    }

                    codes[word] = packed;
                }

                sums[sixteen] = (ushort)sum;
            }
        }
    }

    /// <summary>Codes of 32 values, halves rounded away from zero. Returns their sum.</summary>
    private static int Pack(ArrayView<float> x, ArrayView<int> codes, float scale, int zero)
    {
        float inverse = ExactFloat.InverseOrZero(scale);
        int sum = 0;
        for (int word = 0; word < 8; word++)
        {
            int packed = 0;
            for (int b = 0; b < 4; b++)
            {
                int code = ExactFloat.HalfAwayFromZero(ExactFloat.Product(x[(4 * word) + b], inverse, zero));
                sum += code;
                packed |= (code & 0xFF) << (8 * b);
            }

            codes[word] = packed;
        }

        return sum;
    }
}
