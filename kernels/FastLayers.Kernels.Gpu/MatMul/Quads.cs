using ILGPU;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>Arithmetic on four floats at once.</summary>
internal static class Quads
{
    /// <summary>0x4B000000 is 2^23; an unsigned byte in its low bits adds the byte's value. Codes are offset by 128 to be unsigned.</summary>
    private const float ByteOffset = 8388608f + 128f;

    /// <summary>The four signed bytes of a word. Conversions of integers run at a quarter of the rate of this arithmetic.</summary>
    public static Float4 OfSignedBytes(int bytes)
    {
        int offset = bytes ^ unchecked((int)0x80808080);
        return Of(
            Interop.IntAsFloat((uint)((offset & 0xFF) | 0x4B000000)) - ByteOffset,
            Interop.IntAsFloat((uint)(((offset >> 8) & 0xFF) | 0x4B000000)) - ByteOffset,
            Interop.IntAsFloat((uint)(((offset >> 16) & 0xFF) | 0x4B000000)) - ByteOffset,
            Interop.IntAsFloat((uint)(((offset >> 24) & 0xFF) | 0x4B000000)) - ByteOffset);
    }

    /// <summary>a · b, summed in pairs.</summary>
    public static float Dot(Float4 a, Float4 b) => (a.X * b.X) + (a.Y * b.Y) + ((a.Z * b.Z) + (a.W * b.W));

    /// <summary>The sum of the four.</summary>
    public static float Sum(Float4 a) => a.X + a.Y + (a.Z + a.W);

    /// <summary>sum + factor · a.</summary>
    public static Float4 AddScaled(Float4 sum, float factor, Float4 a) => Of((factor * a.X) + sum.X, (factor * a.Y) + sum.Y, (factor * a.Z) + sum.Z, (factor * a.W) + sum.W);

    /// <summary>sum + factor · scales · integers.</summary>
    public static Float4 AddProducts(Float4 sum, float factor, Float4 scales, Int4 integers) => Of(
        (factor * scales.X * integers.X) + sum.X,
        (factor * scales.Y * integers.Y) + sum.Y,
        (factor * scales.Z * integers.Z) + sum.Z,
        (factor * scales.W * integers.W) + sum.W);

    /// <summary>The products of two numbers with two others, added to four sums.</summary>
    public static Float4 AddOuter(Float4 sums, float first, float second, float a, float b) =>
        Of((first * a) + sums.X, (first * b) + sums.Y, (second * a) + sums.Z, (second * b) + sums.W);

    /// <summary>scale · a - minimum.</summary>
    public static Float4 Affine(Float4 a, float scale, float minimum) => Of((a.X * scale) - minimum, (a.Y * scale) - minimum, (a.Z * scale) - minimum, (a.W * scale) - minimum);

    public static Float4 Of(float x, float y, float z, float w) => new() { X = x, Y = y, Z = z, W = w };

    public static Float4 Add(Float4 a, Float4 b) => Of(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);

    /// <summary>The sums over the threads of a group, in every thread and always in the same order.</summary>
    public static Float4 SumOverGroup(ArrayView<Float4> shared, Float4 value)
    {
        shared[Group.IdxX] = value;
        Group.Barrier();
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half) shared[Group.IdxX] = Add(shared[Group.IdxX], shared[Group.IdxX + half]);
            Group.Barrier();
        }

        var sum = shared[0];
        Group.Barrier();
        return sum;
    }
}
