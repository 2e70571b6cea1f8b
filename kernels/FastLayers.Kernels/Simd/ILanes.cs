namespace FastLayers.Kernels.Simd;

/// <summary>
/// A register of <see cref="Count"/> floats. Kernels are written once, generic over this interface, and run at 128, 256 and
/// 512 bit: the JIT specializes a generic method for each struct and inlines every member to one or two instructions.
/// Pointers need no alignment. Comparisons give a mask (all bits set or clear) for <see cref="Select"/>.
/// </summary>
internal unsafe interface ILanes<TSelf> where TSelf : unmanaged, ILanes<TSelf>
{
    /// <summary>Floats a register.</summary>
    static abstract int Count { get; }

    /// <summary>All lanes 0.</summary>
    static abstract TSelf Zero { get; }

    /// <summary>Reads <see cref="Count"/> floats.</summary>
    static abstract TSelf Load(float* source);

    /// <summary>Reads the first <paramref name="count"/> floats (0 to <see cref="Count"/>) and nothing behind them; the other lanes are 0.</summary>
    static abstract TSelf LoadPartial(float* source, int count);

    /// <summary>Reads <see cref="Count"/> IEEE half floats: exact for normal and denormal numbers and infinities, NaN stays NaN.</summary>
    static abstract TSelf LoadHalf(ushort* source);

    /// <summary>Reads <see cref="Count"/> IEEE half floats, each as 2^-112 of its value: exact, but what is infinite or NaN comes out as a number.</summary>
    static abstract TSelf LoadSmallHalf(ushort* source);

    /// <summary>Reads the low four bits of <see cref="Count"/> bytes as whole numbers.</summary>
    static abstract TSelf LoadLowNibbles(byte* source);

    /// <summary>Reads the high four bits of <see cref="Count"/> bytes as whole numbers.</summary>
    static abstract TSelf LoadHighNibbles(byte* source);

    /// <summary>Reads <see cref="Count"/> bfloat16 numbers: exact, bits are only moved.</summary>
    static abstract TSelf LoadBFloat16(ushort* source);

    /// <summary>Reads <see cref="Count"/> signed bytes as whole numbers.</summary>
    static abstract TSelf LoadSByte(sbyte* source);

    /// <summary>Reads <see cref="Count"/> / 2 floats, each into two neighboring lanes.</summary>
    static abstract TSelf LoadTwice(float* source);

    /// <summary>All lanes <paramref name="value"/>.</summary>
    static abstract TSelf Broadcast(float value);

    /// <summary>Writes <see cref="Count"/> floats.</summary>
    void Store(float* destination);

    /// <summary>Writes the first <paramref name="count"/> lanes (0 to <see cref="Count"/>) and nothing behind them.</summary>
    void StorePartial(float* destination, int count);

    /// <summary>a + b.</summary>
    static abstract TSelf Add(TSelf a, TSelf b);

    /// <summary>a - b.</summary>
    static abstract TSelf Subtract(TSelf a, TSelf b);

    /// <summary>a · b.</summary>
    static abstract TSelf Multiply(TSelf a, TSelf b);

    /// <summary>a / b.</summary>
    static abstract TSelf Divide(TSelf a, TSelf b);

    /// <summary>a · b + c, rounded once where the hardware has a fused instruction.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>a &gt; b ? a : b on x86, so that a NaN in <paramref name="b"/> stays and one in <paramref name="a"/> is lost; ARM keeps both.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>a &lt; b ? a : b on x86, so that a NaN in <paramref name="b"/> stays and one in <paramref name="a"/> is lost; ARM keeps both.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    /// <summary>√a.</summary>
    static abstract TSelf Sqrt(TSelf a);

    /// <summary>|a|; clears the sign bit, of NaN too.</summary>
    static abstract TSelf Abs(TSelf a);

    /// <summary>The absolute value of the first operand with the sign bit of the second.</summary>
    static abstract TSelf CopySign(TSelf magnitude, TSelf sign);

    /// <summary>The nearest integer; halves go to the even one.</summary>
    static abstract TSelf Round(TSelf a);

    /// <summary>2ⁿ for lanes that hold whole numbers from -126 to 127, built from the exponent bits.</summary>
    static abstract TSelf PowerOfTwo(TSelf n);

    /// <summary>Exchanges lanes 2i and 2i + 1.</summary>
    static abstract TSelf SwapPairs(TSelf a);

    /// <summary>Changes the sign of lanes 0, 2, 4, …</summary>
    static abstract TSelf NegateEven(TSelf a);

    /// <summary>Mask of the lanes below <paramref name="count"/>.</summary>
    static abstract TSelf FirstLanes(int count);

    /// <summary>Mask of the lanes where a &lt; b; false if either is NaN.</summary>
    static abstract TSelf LessThan(TSelf a, TSelf b);

    /// <summary>Mask of the lanes where a = b; false if either is NaN.</summary>
    static abstract TSelf Equal(TSelf a, TSelf b);

    /// <summary>Lanes of <paramref name="whenSet"/> where the mask is set, of <paramref name="whenClear"/> elsewhere.</summary>
    static abstract TSelf Select(TSelf mask, TSelf whenSet, TSelf whenClear);

    /// <summary>Bit i is the mask in lane i.</summary>
    static abstract uint MaskBits(TSelf mask);

    /// <summary>Sum of the lanes: halves are added until one lane is left, so the order never changes.</summary>
    static abstract float Sum(TSelf a);

    /// <summary>The sums of the lanes of eight registers, one after the other.</summary>
    static abstract void StoreSums(TSelf a0, TSelf a1, TSelf a2, TSelf a3, TSelf a4, TSelf a5, TSelf a6, TSelf a7, float* sums);

    /// <summary>The largest lane; unspecified if a lane is NaN.</summary>
    static abstract float MaxAcross(TSelf a);
}
