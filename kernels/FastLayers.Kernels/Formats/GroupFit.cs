using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// The squared error of a group of values under given scales, and the scales that are best for the codes those give: the two steps that
/// every scale search alternates. Groups have a multiple of 8 values; weights are not negative.
/// </summary>
/// <remarks>
/// With r the rest that rounding leaves, refitting solves least squares for the <em>change</em> of the scales against r; the error afterwards
/// follows from the same sums without cancellation, so that trying a scale costs one pass over the group.
/// </remarks>
internal static unsafe class GroupFit
{
    /// <summary>The weights, or where there are none (null) a buffer filled with ones.</summary>
    public static float* WeightsOrOnes(float* weights, float* ones, int count)
    {
        if (weights != null)
            return weights;
        new Span<float>(ones, count).Fill(1);
        return ones;
    }

    /// <summary>Rounds x to <c>scale * code</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SymmetricSums Symmetric<TGrid>(TGrid grid, float* x, float* weights, int count, float scale) where TGrid : struct, ICodeGrid
    {
        Vector256<float> inverse = Vector256.Create(Rounding.InverseOrZero(scale));
        Vector256<float> error = default, qr = default, qq = default;
        for (int i = 0; i < count; i += 8)
        {
            Vector256<float> v = Vector256.Load(x + i), w = Vector256.Load(weights + i);
            Vector256<float> q = grid.Nearest(v * inverse), r = v - q * scale, wq = w * q;
            error += w * r * r;
            qr += wq * r;
            qq += wq * q;
        }
        return new SymmetricSums(Sum(error), Sum(qr), Sum(qq));
    }

    /// <summary>Rounds x to <c>scale * code - minimum</c> with codes of 0 to <paramref name="highest"/>.</summary>
    public static AffineSums Affine(int highest, float* x, float* weights, int count, float scale, float minimum)
    {
        Vector256<float> inverse = Vector256.Create(Rounding.InverseOrZero(scale)), offset = Vector256.Create(minimum);
        WholeGrid grid = new(0, highest);
        Vector256<float> error = default, sumW = default, sumR = default, sumQ = default, sumQR = default, sumQQ = default;
        for (int i = 0; i < count; i += 8)
        {
            Vector256<float> v = Vector256.Load(x + i), w = Vector256.Load(weights + i);
            Vector256<float> q = grid.Nearest((v + offset) * inverse), r = v - (q * scale - offset), wq = w * q, wr = w * r;
            error += wr * r;
            sumW += w;
            sumR += wr;
            sumQ += wq;
            sumQR += wq * r;
            sumQQ += wq * q;
        }
        return new AffineSums(Sum(error), Sum(sumW), Sum(sumR), Sum(sumQ), Sum(sumQR), Sum(sumQQ));
    }

    /// <summary>Sum in a fixed order, so that encoders give the same bytes on every machine.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum(Vector256<float> v)
    {
        Vector128<float> half = v.GetLower() + v.GetUpper();
        return half.GetElement(0) + half.GetElement(1) + (half.GetElement(2) + half.GetElement(3));
    }
}

/// <summary>What rounding a group to <c>scale * q</c> leaves: sums over the group, weighted, with r the rest.</summary>
/// <param name="Error">Sum of r².</param>
/// <param name="QR">Sum of q r.</param>
/// <param name="QQ">Sum of q².</param>
internal readonly record struct SymmetricSums(float Error, float QR, float QQ)
{
    /// <summary>The change of the scale with the least error for these codes, and the error then; rounding anew can only lower it.</summary>
    public (float Change, float Error) Refit()
    {
        float change = QQ > 0 ? QR / QQ : 0;
        return (change, Error - change * QR);
    }
}

/// <summary>What rounding a group to <c>scale * q - minimum</c> leaves: sums over the group, weighted, with r the rest.</summary>
/// <param name="Error">Sum of r².</param>
/// <param name="W">Sum of the weights.</param>
/// <param name="R">Sum of r.</param>
/// <param name="Q">Sum of q.</param>
/// <param name="QR">Sum of q r.</param>
/// <param name="QQ">Sum of q².</param>
internal readonly record struct AffineSums(float Error, double W, double R, double Q, double QR, double QQ)
{
    /// <summary>
    /// The scale and minimum with the least error for these codes, the minimum at least <paramref name="leastMinimum"/>, and the error then;
    /// rounding anew can only lower it.
    /// </summary>
    public (float Scale, float Minimum, float Error) Refit(float scale, float minimum, float leastMinimum)
    {
        if (W <= 0)
            return (scale, minimum, Error);
        // Least squares of ds q - dm against r.
        double determinant = W * QQ - Q * Q;
        double ds = determinant > 0 ? (W * QR - Q * R) / determinant : 0;
        double dm = (ds * Q - R) / W;
        if (minimum + dm < leastMinimum)
        {
            dm = leastMinimum - minimum;
            ds = QQ > 0 ? (QR + dm * Q) / QQ : 0;
        }
        double error = Error - 2 * ds * QR + 2 * dm * R + ds * ds * QQ - 2 * ds * dm * Q + dm * dm * W;
        return ((float)(scale + ds), (float)(minimum + dm), (float)error);
    }
}
