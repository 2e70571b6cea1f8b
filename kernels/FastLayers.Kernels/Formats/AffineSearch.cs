namespace FastLayers.Kernels.Formats;

/// <summary>
/// Search for scales and minimums of <c>value = scale * code - minimum</c> with the least weighted squared error: for one group, and for the
/// groups of a block whose scales and minimums are whole multiples of a block scale and a block minimum.
/// </summary>
internal static unsafe class AffineSearch
{
    // Scales are tried that divide the range of the values into up to this many parts of a step more or fewer than there are.
    private const int StretchSteps = 6;
    private const float StretchPerStep = 0.25f;

    // Block scales and minimums are tried that give the largest group scale or minimum the highest whole number or up to so many less.
    private const int BlockStarts = 2;

    // Rounding and refitting converge in a few rounds; later ones gain less than 0.1 % of the error.
    private const int RefitRounds = 4;

    /// <summary>The best float32 scale and minimum for a group, the minimum at least <paramref name="leastMinimum"/>.</summary>
    public static (float Scale, float Minimum) Best(int highest, float leastMinimum, float* x, float* weights, int count)
    {
        (float lowestValue, float highestValue) = Rounding.Range(x, count);
        lowestValue = MathF.Min(lowestValue, -leastMinimum);
        float range = highestValue - lowestValue;
        if (!(range > 0))
            return (0, -lowestValue);
        (float Scale, float Minimum, float Error) start = (range / highest, -lowestValue, float.PositiveInfinity);
        for (int step = -StretchSteps; step <= StretchSteps; step++)
        {
            float scale = range / (highest + step * StretchPerStep);
            var refit = GroupFit.Affine(highest, x, weights, count, scale, -lowestValue).Refit(scale, -lowestValue, leastMinimum);
            if (refit.Error < start.Error)
                start = refit;
        }

        (float Scale, float Minimum) best = (start.Scale, start.Minimum);
        float bestError = float.PositiveInfinity;
        for (int round = 0; round < RefitRounds; round++)
        {
            AffineSums sums = GroupFit.Affine(highest, x, weights, count, start.Scale, start.Minimum);
            if (!(sums.Error < bestError))
                break;
            (best, bestError) = ((start.Scale, start.Minimum), sums.Error);
            start = sums.Refit(start.Scale, start.Minimum, leastMinimum);
        }
        return best;
    }

    /// <summary>
    /// The scale that divides the range of the values into <paramref name="highest"/> equal steps, and the lowest value; with weights (not
    /// null) the best scale and offset.
    /// </summary>
    public static (float Scale, float Offset) FixedOrBest(int highest, float* x, float* weights, int count)
    {
        if (weights == null)
        {
            (float lowestValue, float highestValue) = Rounding.Range(x, count);
            return ((highestValue - lowestValue) / highest, lowestValue);
        }
        (float scale, float minimum) = Best(highest, float.NegativeInfinity, x, weights, count);
        return (scale, -minimum);
    }

    /// <summary>
    /// Encodes 256 values in groups: <c>value = block scale * group scale * code - block minimum * group minimum</c>, codes of 0 to
    /// <paramref name="highest"/>, group scales and minimums whole numbers of 0 to <paramref name="highestScale"/>.
    /// </summary>
    public static AffineBlock Encode(int highest, int highestScale, int groupLength, float* values, float* importance)
    {
        float* ones = stackalloc float[256];
        float* weights = GroupFit.WeightsOrOnes(importance, ones, 256);
        int groupCount = 256 / groupLength;
        float* scales = stackalloc float[groupCount];
        float* minimums = stackalloc float[groupCount];
        for (int g = 0; g < groupCount; g++)
            (scales[g], minimums[g]) = Best(highest, leastMinimum: 0, values + g * groupLength, weights + g * groupLength, groupLength);

        float largestScale = Rounding.LargestMagnitude(scales, groupCount), largestMinimum = Rounding.LargestMagnitude(minimums, groupCount);
        AffineBlock best = default;
        (best.Scale, best.Minimum) = (HalfScale.From(largestScale / highestScale), HalfScale.From(largestMinimum / highestScale));
        double bestError = double.PositiveInfinity;
        (float Scale, float Minimum) refitted = default;
        for (int start = 0; start < BlockStarts * BlockStarts; start++)
            Try(largestScale / (highestScale - start % BlockStarts), largestMinimum / (highestScale - start / BlockStarts));
        for (int round = 0; round < RefitRounds && Try(refitted.Scale, refitted.Minimum); round++)
        {
        }

        AffineBlock result = best;
        for (int g = 0; g < groupCount; g++)
        {
            StoreCodes(
                highest, values + g * groupLength, groupLength,
                result.Scale.Value * result.Scales[g], result.Minimum.Value * result.Minimums[g], result.Codes + g * groupLength);
        }
        return result;

        bool Try(float scale, float minimum)
        {
            AffineBlock block = default;
            (block.Scale, block.Minimum) = (HalfScale.From(scale), HalfScale.From(minimum));
            (double error, float changedScale, float changedMinimum) =
                Round(highest, highestScale, groupLength, values, weights, scales, minimums, ref block);
            if (!(error < bestError))
                return false;
            (best, bestError, refitted) = (block, error, (changedScale, changedMinimum));
            return true;
        }
    }

    /// <summary>Writes the nearest code of each value.</summary>
    private static void StoreCodes(int highest, float* x, int count, float scale, float minimum, byte* codes)
    {
        float inverse = Rounding.InverseOrZero(scale);
        for (int i = 0; i < count; i++)
            codes[i] = (byte)Rounding.HalfToEven((x[i] + minimum) * inverse, 0, highest);
    }

    /// <summary>
    /// With the block scale and minimum given, finds each group's whole scale (the wanted one rounded, or a neighbor) and whole minimum (the
    /// wanted one rounded, or what is best for the codes). Returns the error, and the block scale and minimum that are best for the codes found.
    /// </summary>
    private static (double Error, float Scale, float Minimum) Round(
        int highest, int highestScale, int groupLength, float* values, float* weights, float* scales, float* minimums, ref AffineBlock block)
    {
        float scale = block.Scale.Value, minimum = block.Minimum.Value;
        float inverse = Rounding.InverseOrZero(scale), inverseMinimum = Rounding.InverseOrZero(minimum);
        double errors = 0;
        BlockSums blockSums = default;
        for (int g = 0; g < 256 / groupLength; g++)
        {
            float* x = values + g * groupLength, w = weights + g * groupLength;
            int nearest = Rounding.HalfToEven(scales[g] * inverse, 0, highestScale), bestScale = nearest;
            int nearestMinimum = Rounding.HalfToEven(minimums[g] * inverseMinimum, 0, highestScale), bestMinimum = nearestMinimum;
            AffineSums best = new(float.PositiveInfinity, 0, 0, 0, 0, 0);
            for (int s = Math.Max(nearest - 1, 0); s <= Math.Min(nearest + 1, highestScale); s++)
            {
                int m = nearestMinimum, tried = -1;
                while (m != tried)
                {
                    AffineSums sums = GroupFit.Affine(highest, x, w, groupLength, scale * s, minimum * m);
                    if (!(sums.Error < best.Error))
                        break;
                    (bestScale, bestMinimum, best) = (s, m, sums);
                    tried = m;
                    if (sums.W > 0)
                        m = Rounding.HalfToEven((float)(minimum * m - sums.R / sums.W) * inverseMinimum, 0, highestScale);
                }
            }
            (block.Scales[g], block.Minimums[g]) = ((byte)bestScale, (byte)bestMinimum);
            errors += best.Error;
            blockSums.Add(bestScale, bestMinimum, best);
        }
        (float ds, float dm) = blockSums.Refit();
        return (errors, scale + ds, MathF.Max(0, minimum + dm));
    }

    /// <summary>Sums for least squares of <c>ds a - dm b</c> against the rest r of a block, where a = group scale * code and b = group minimum.</summary>
    private struct BlockSums
    {
        private double aa, ab, bb, ar, br;

        public void Add(int scale, int minimum, AffineSums group)
        {
            aa += scale * scale * group.QQ;
            ab += scale * minimum * group.Q;
            bb += minimum * minimum * group.W;
            ar += scale * group.QR;
            br += minimum * group.R;
        }

        public readonly (float ScaleChange, float MinimumChange) Refit()
        {
            // A determinant this small relative to its terms says that a and b are proportional: then only the scale is moved.
            const double singular = 1e-9;
            double determinant = aa * bb - ab * ab;
            if (determinant > singular * aa * bb)
                return ((float)((bb * ar - ab * br) / determinant), (float)((ab * ar - aa * br) / determinant));
            return (aa > 0 ? (float)(ar / aa) : 0, 0);
        }
    }
}

/// <summary>What <see cref="AffineSearch.Encode"/> finds, before a format packs it.</summary>
internal unsafe struct AffineBlock
{
    public HalfScale Scale;
    public HalfScale Minimum;
    public fixed byte Scales[16];
    public fixed byte Minimums[16];
    public fixed byte Codes[256];
}
