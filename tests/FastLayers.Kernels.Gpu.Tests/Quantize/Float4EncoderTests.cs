using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.Gpu.Quantize;

namespace FastLayers.Kernels.Gpu.Tests.Quantize;

/// <summary>The scales of the formats of 4-bit floats, at every magnitude where they could differ from the CPU's.</summary>
public sealed class Float4EncoderTests
{
    /// <summary>Around every power of two, where the logarithm of the CPU rounds up to it or does not.</summary>
    [Fact]
    public void Exponent_of_MXFP4_is_that_of_the_CPU()
    {
        float[] values = new float[32];
        byte[] block = new byte[Format.MXFP4.BlockBytes];
        for (int power = 0; power <= 254; power++)
        {
            for (int distance = -160; distance <= 160; distance++)
            {
                int bits = (power << 23) + distance;
                if (bits < 0) continue;
                values[5] = -BitConverter.Int32BitsToSingle(bits);
                Format.MXFP4.Encode(values, block);
                Assert.True(block[0] == Float4Encoders.MXFP4.ExponentOf(bits), $"Bits {bits:x8}: the CPU has {block[0]}, the GPU {Float4Encoders.MXFP4.ExponentOf(bits)}.");
            }
        }
    }

    [Fact]
    public void Scale_of_NVFP4_is_that_of_the_CPU_for_each_byte_and_between()
    {
        float[] values = new float[64];
        byte[] block = new byte[Format.NVFP4.BlockBytes];
        for (int bits = 0x3000_0000; bits < 0x4600_0000; bits += 0x0003_FFFF)
        {
            values[0] = BitConverter.Int32BitsToSingle(bits);
            Format.NVFP4.Encode(values, block);
            Assert.Equal(block[0], GpuUE4M3.FromFloat(values[0] / 6));
        }
    }
}
