using FastLayers.Kernels.Gpu.Formats;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>Four integers that are loaded or stored together; their address must be a multiple of 16.</summary>
internal struct Int4
{
    public int X;
    public int Y;
    public int Z;
    public int W;

    /// <summary>Σ a[i] · b[i] over sixteen signed bytes.</summary>
    public static int Dot(Int4 a, Int4 b) => Dot(a.X, b.X) + Dot(a.Y, b.Y) + Dot(a.Z, b.Z) + Dot(a.W, b.W);

    /// <summary>The products of the codes in one word with those in four, added to four sums.</summary>
    public static Int4 AddDots(Int4 sums, int codes, Int4 others) => new()
    {
        X = sums.X + Dot(codes, others.X),
        Y = sums.Y + Dot(codes, others.Y),
        Z = sums.Z + Dot(codes, others.Z),
        W = sums.W + Dot(codes, others.W),
    };

    /// <summary>Σ a[i] · b[i] over four signed bytes.</summary>
    private static int Dot(int a, int b) =>
        (PackedBytes.Signed(a, 0) * PackedBytes.Signed(b, 0))
        + (PackedBytes.Signed(a, 1) * PackedBytes.Signed(b, 1))
        + (PackedBytes.Signed(a, 2) * PackedBytes.Signed(b, 2))
        + (PackedBytes.Signed(a, 3) * PackedBytes.Signed(b, 3));
}
