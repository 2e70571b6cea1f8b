using System.Globalization;
using FastLayers.Kernels.Simd;

namespace FastLayers.Conformance.Simd;

/// <summary>Every member of the lanes, at every width, against scalar code.</summary>
public sealed unsafe class LanesTests
{
    [Fact]
    public void Lanes_of_128_bit_match_scalar_code() => Everything<Lanes128>(4);

    [Fact]
    public void Lanes_of_256_bit_match_scalar_code() => Everything<Lanes256>(8);

    [Fact]
    public void Lanes_of_512_bit_match_scalar_code() => Everything<Lanes512>(16);

    [Fact]
    public void All_half_floats_load_exactly()
    {
        AllHalfs<Lanes128>();
        AllHalfs<Lanes256>();
        AllHalfs<Lanes512>();
    }

    [Fact]
    public void All_bfloat16_numbers_load_exactly()
    {
        AllBFloat16<Lanes128>();
        AllBFloat16<Lanes256>();
        AllBFloat16<Lanes512>();
    }

    [Fact]
    public void All_signed_bytes_load_exactly()
    {
        AllSignedBytes<Lanes128>();
        AllSignedBytes<Lanes256>();
        AllSignedBytes<Lanes512>();
    }

    [Fact]
    public void Partial_loads_and_stores_touch_nothing_behind()
    {
        Partial<Lanes128>();
        Partial<Lanes256>();
        Partial<Lanes512>();
    }

    private static void Everything<TLanes>(int count) where TLanes : unmanaged, ILanes<TLanes>
    {
        Assert.Equal(count, TLanes.Count);
        var a = Values<TLanes>(i => 1.5f * i - 3.25f);
        var b = Values<TLanes>(i => 7 - i);
        var c = Values<TLanes>(i => 0.125f * i * i);
        TLanes x = Load<TLanes>(a), y = Load<TLanes>(b), z = Load<TLanes>(c);

        Check(TLanes.Zero, _ => 0);
        Check(TLanes.Broadcast(2.5f), _ => 2.5f);
        Check(TLanes.Add(x, y), i => a[i] + b[i]);
        Check(TLanes.Subtract(x, y), i => a[i] - b[i]);
        Check(TLanes.Multiply(x, y), i => a[i] * b[i]);
        Check(TLanes.Divide(x, TLanes.Broadcast(3)), i => a[i] / 3);
        Check(TLanes.MultiplyAdd(x, y, z), i => a[i] * b[i] + c[i]); // exact for these values, fused or not
        Check(TLanes.Max(x, y), i => Math.Max(a[i], b[i]));
        Check(TLanes.Min(x, y), i => Math.Min(a[i], b[i]));
        Check(TLanes.Max(TLanes.Zero, TLanes.Broadcast(float.NaN)), _ => float.NaN);
        Check(TLanes.Min(TLanes.Zero, TLanes.Broadcast(float.NaN)), _ => float.NaN);
        Check(TLanes.Sqrt(z), i => MathF.Sqrt(c[i]));
        Check(TLanes.Abs(x), i => Math.Abs(a[i]));
        Check(TLanes.CopySign(x, y), i => MathF.CopySign(a[i], b[i]));
        Check(TLanes.Round(x), i => MathF.Round(a[i]));
        Check(TLanes.Round(TLanes.Broadcast(2.5f)), _ => 2);
        Check(TLanes.SwapPairs(x), i => a[i ^ 1]);
        Check(TLanes.NegateEven(x), i => i % 2 == 0 ? -a[i] : a[i]);
        Check(TLanes.Select(TLanes.LessThan(x, y), x, z), i => a[i] < b[i] ? a[i] : c[i]);
        Check(TLanes.Select(TLanes.Equal(y, TLanes.Broadcast(5)), x, z), i => b[i] == 5 ? a[i] : c[i]);
        fixed (float* source = a) Check(TLanes.LoadTwice(source), i => a[i / 2]);
        for (var n = -126f; n <= 127; n++) Check(TLanes.PowerOfTwo(TLanes.Broadcast(n)), _ => MathF.ScaleB(1, (int)n));
        for (var n = 0; n <= count; n++)
        {
            Check(TLanes.Select(TLanes.FirstLanes(n), x, TLanes.Zero), i => i < n ? a[i] : 0);
            Assert.Equal((1u << n) - 1, TLanes.MaskBits(TLanes.FirstLanes(n)));
        }

        Assert.Equal(0u, TLanes.MaskBits(TLanes.LessThan(x, TLanes.Broadcast(float.NaN))));
        Assert.Equal(a.Sum(), TLanes.Sum(x)); // exact for these values, in any order
        Assert.Equal(a.Max(), TLanes.MaxAcross(x));
        Assert.Equal(b.Max(), TLanes.MaxAcross(y));
    }

    private static void Check<TLanes>(TLanes actual, Func<int, float> expected) where TLanes : unmanaged, ILanes<TLanes>
    {
        var values = new float[TLanes.Count];
        fixed (float* destination = values) actual.Store(destination);
        for (var i = 0; i < values.Length; i++)
        {
            Assert.True(
                values[i].Equals(expected(i)), string.Create(CultureInfo.InvariantCulture, $"lane {i}: expected {expected(i)}, found {values[i]}"));
        }
    }

    private static float[] Values<TLanes>(Func<int, float> value) where TLanes : unmanaged, ILanes<TLanes> =>
        [.. Enumerable.Range(0, TLanes.Count).Select(value)];

    private static TLanes Load<TLanes>(float[] values) where TLanes : unmanaged, ILanes<TLanes>
    {
        fixed (float* source = values) return TLanes.Load(source);
    }

    private static void AllHalfs<TLanes>() where TLanes : unmanaged, ILanes<TLanes>
    {
        var halfs = AllBits();
        var floats = new float[halfs.Length];
        fixed (ushort* source = halfs)
        fixed (float* destination = floats)
        {
            for (var i = 0; i < halfs.Length; i += TLanes.Count) TLanes.LoadHalf(source + i).Store(destination + i);
        }

        for (var i = 0; i < halfs.Length; i++)
        {
            // The bits, so that signs of zero and the payloads of NaN count.
            var expected = (float)BitConverter.UInt16BitsToHalf(halfs[i]);
            Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(floats[i]));
        }
    }

    private static void AllBFloat16<TLanes>() where TLanes : unmanaged, ILanes<TLanes>
    {
        var numbers = AllBits();
        var floats = new float[numbers.Length];
        fixed (ushort* source = numbers)
        fixed (float* destination = floats)
        {
            for (var i = 0; i < numbers.Length; i += TLanes.Count) TLanes.LoadBFloat16(source + i).Store(destination + i);
        }

        for (var i = 0; i < numbers.Length; i++) Assert.Equal((uint)numbers[i] << 16, BitConverter.SingleToUInt32Bits(floats[i]));
    }

    private static void AllSignedBytes<TLanes>() where TLanes : unmanaged, ILanes<TLanes>
    {
        var numbers = Enumerable.Range(-128, 256).Select(i => (sbyte)i).ToArray();
        var floats = new float[numbers.Length];
        fixed (sbyte* source = numbers)
        fixed (float* destination = floats)
        {
            for (var i = 0; i < numbers.Length; i += TLanes.Count) TLanes.LoadSByte(source + i).Store(destination + i);
        }

        Assert.Equal(numbers.Select(i => (float)i), floats);
    }

    private static ushort[] AllBits() => [.. Enumerable.Range(0, 65_536).Select(i => (ushort)i)];

    private static void Partial<TLanes>() where TLanes : unmanaged, ILanes<TLanes>
    {
        for (var count = 0; count <= TLanes.Count; count++)
        {
            var source = Enumerable.Range(1, TLanes.Count).Select(i => (float)i).ToArray();
            var destination = new float[TLanes.Count];
            Array.Fill(destination, -1);
            fixed (float* from = source, to = destination)
            {
                var loaded = TLanes.LoadPartial(from, count);
                var present = count;
                Check(loaded, i => i < present ? i + 1 : 0);
                TLanes.Load(from).StorePartial(to, count);
            }

            Assert.Equal(source[..count], destination[..count]);
            Assert.All(destination[count..], value => Assert.Equal(-1, value));
        }
    }
}
