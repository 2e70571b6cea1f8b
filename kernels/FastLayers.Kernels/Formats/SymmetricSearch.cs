using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// Search for scales of <c>value = scale * code</c> with the least weighted squared error: for one group, and for the groups of a block whose
/// scales are whole multiples of a block scale.
/// </summary>
internal static unsafe class SymmetricSearch
{
    // Scales are tried that put the extreme value up to this many parts of a step inside or outside the outermost code.
    private const int StretchSteps = 6;
    private const float StretchPerStep = 0.25f;

    // Block scales are tried that give the extreme group this whole scale or up to so many less.
    private const int BlockStarts = 2;

    // Rounding and refitting converge in a few rounds; later ones gain less than 0.1 % of the error.
    private const int RefitRounds = 4;

    /// <summary>The best float32 scale for a group; negative where the extreme value then fits the longer side of the codes.</summary>
    public static float BestScale<TGrid>(TGrid grid, float* x, float* weights, int count) where TGrid : struct, ICodeGrid
    {
        float extreme = Rounding.OfLargestMagnitude(x, count);
        if (extreme == 0)
            return 0;
        (float start, float startError) = (extreme / grid.Lowest, float.PositiveInfinity);
        for (int step = -StretchSteps; step <= StretchSteps; step++)
        {
            float stretch = step * StretchPerStep * grid.Step;
            Try(extreme / (grid.Lowest - stretch));
            Try(extreme / (grid.Highest + stretch));
        }

        (float best, float bestError) = (start, float.PositiveInfinity);
        for (int round = 0; round < RefitRounds; round++)
        {
            SymmetricSums sums = GroupFit.Symmetric(grid, x, weights, count, start);
            if (!(sums.Error < bestError))
                break;
            (best, bestError) = (start, sums.Error);
            start += sums.Refit().Change;
        }
        return best;

        void Try(float scale)
        {
            (float change, float error) = GroupFit.Symmetric(grid, x, weights, count, scale).Refit();
            if (error < startError)
                (start, startError) = (scale + change, error);
        }
    }

    /// <summary>The scale that puts the extreme value on the lowest code exactly; with weights (not null) the best one.</summary>
    public static float FixedOrBestScale<TGrid>(TGrid grid, float* x, float* weights, int count) where TGrid : struct, ICodeGrid =>
        weights == null ? Rounding.OfLargestMagnitude(x, count) / grid.Lowest : BestScale(grid, x, weights, count);

    /// <summary>
    /// Encodes 256 values in groups: <c>value = block scale * group scale * code</c>, group scales whole numbers of
    /// <paramref name="lowestScale"/> to <paramref name="highestScale"/>.
    /// </summary>
    public static SymmetricBlock Encode<TGrid>(
        TGrid grid, float* values, float* importance, int groupLength, int lowestScale, int highestScale) where TGrid : struct, ICodeGrid
    {
        float* ones = stackalloc float[256];
        float* weights = GroupFit.WeightsOrOnes(importance, ones, 256);
        int groupCount = 256 / groupLength;
        float* wanted = stackalloc float[groupCount];
        for (int g = 0; g < groupCount; g++)
            wanted[g] = BestScale(grid, values + g * groupLength, weights + g * groupLength, groupLength);

        float extreme = Rounding.OfLargestMagnitude(wanted, groupCount);
        SymmetricBlock best = default;
        best.Scale = HalfScale.From(extreme / lowestScale);
        (double bestError, float refitted) = (double.PositiveInfinity, 0);
        for (int start = 0; start < BlockStarts; start++)
        {
            Try(extreme / (lowestScale + start));
            Try(extreme / (highestScale - start));
        }
        // An outlier alone in its group decides the block scale: the smallest puts it on the outermost code of the outermost group scale.
        float outermost = Rounding.OfLargestMagnitude(values, 256) / grid.Lowest;
        Try(outermost / lowestScale);
        Try(outermost / highestScale);
        for (int round = 0; round < RefitRounds && Try(refitted); round++)
        {
        }

        SymmetricBlock result = best;
        for (int g = 0; g < groupCount; g++)
            StoreCodes(grid, values + g * groupLength, groupLength, result.Scale.Value * result.Scales[g], result.Codes + g * groupLength);
        return result;

        bool Try(float scale)
        {
            SymmetricBlock block = default;
            block.Scale = HalfScale.From(scale);
            (double error, float change) = Round(grid, values, weights, groupLength, lowestScale, highestScale, wanted, ref block);
            if (!(error < bestError))
                return false;
            (best, bestError, refitted) = (block, error, block.Scale.Value + change);
            return true;
        }
    }

    /// <summary>Writes the nearest code of each value; <paramref name="count"/> is a multiple of 8.</summary>
    public static void StoreCodes<TGrid>(TGrid grid, float* x, int count, float scale, sbyte* codes) where TGrid : struct, ICodeGrid
    {
        float inverse = Rounding.InverseOrZero(scale);
        for (int i = 0; i < count; i += 8)
        {
            Vector256<float> nearest = grid.Nearest(Vector256.Load(x + i) * inverse);
            for (int j = 0; j < 8; j++)
                codes[i + j] = (sbyte)nearest[j];
        }
    }

    /// <summary>
    /// With the block scale given, finds each group's whole scale: the wanted one rounded, a neighbor, or the one that puts the extreme value on
    /// the lowest code. Returns the error, and the change of the block scale that is best for the codes found.
    /// </summary>
    private static (double Error, float Change) Round<TGrid>(
        TGrid grid, float* values, float* weights, int groupLength, int lowestScale, int highestScale, float* wanted, ref SymmetricBlock block)
        where TGrid : struct, ICodeGrid
    {
        float scale = block.Scale.Value, inverse = Rounding.InverseOrZero(scale);
        int* candidates = stackalloc int[4];
        double errors = 0, qr = 0, qq = 0;
        for (int g = 0; g < 256 / groupLength; g++)
        {
            float* x = values + g * groupLength, w = weights + g * groupLength;
            int nearest = Rounding.HalfToEven(wanted[g] * inverse, lowestScale, highestScale), best = nearest;
            candidates[0] = nearest;
            candidates[1] = Math.Max(nearest - 1, lowestScale);
            candidates[2] = Math.Min(nearest + 1, highestScale);
            candidates[3] = Rounding.HalfToEven(
                Rounding.OfLargestMagnitude(x, groupLength) / grid.Lowest * inverse, lowestScale, highestScale);
            SymmetricSums bestSums = new(float.PositiveInfinity, 0, 0);
            for (int k = 0; k < 4; k++)
            {
                SymmetricSums sums = GroupFit.Symmetric(grid, x, w, groupLength, scale * candidates[k]);
                if (sums.Error < bestSums.Error)
                    (best, bestSums) = (candidates[k], sums);
            }
            block.Scales[g] = (sbyte)best;
            errors += bestSums.Error;
            qr += best * bestSums.QR;
            qq += best * best * bestSums.QQ;
        }
        return (errors, qq > 0 ? (float)(qr / qq) : 0);
    }
}

/// <summary>What <see cref="SymmetricSearch.Encode"/> finds, before a format packs it.</summary>
internal unsafe struct SymmetricBlock
{
    public HalfScale Scale;
    public fixed sbyte Scales[16];
    public fixed sbyte Codes[256];
}
