namespace FastLayers.Kernels.Gpu.Pooling;

/// <summary>
/// Sum, mean and squares around the mean of values with the weights e^(score - max), max the largest score so far (West's update; Chan's when
/// two are put together). The mean is a center and what rounding took from it, so that values far from 0 lose nothing.
/// </summary>
internal struct WeightedMoments
{
    public float Max;
    public float Sum;
    public float Squares;
    public float Center;
    public float Remainder;

    /// <summary>Of no values. The least number instead of -∞, from which scores of -∞ have a distance.</summary>
    public static WeightedMoments None => new() { Max = float.MinValue };

    /// <summary>Adds a value. One of no weight changes nothing, unless it is not a number.</summary>
    public void Add(float value, float score)
    {
        float decay = MathF.Exp(-MathF.Abs(score - Max));
        bool isLarger = score > Max;
        float weight = isLarger ? 1 : decay;
        float rescale = isLarger ? decay : 1;
        Max = isLarger ? score : Max;
        float before = Sum * rescale;
        Sum = before + weight;
        float share = weight == 0 ? 0 : weight / Sum;
        float distance = value - Center - Remainder;
        Remainder += distance * share;

        // Not the product of the distances before and after: the latter cancels where a value takes nearly all weight.
        Squares = (Squares * rescale) + (distance * share * distance * before);
        MoveCenter();
    }

    /// <summary>Adds the values of another.</summary>
    public void Merge(WeightedMoments other)
    {
        float decay = MathF.Exp(-MathF.Abs(other.Max - Max));
        bool isLarger = other.Max > Max;
        float rescale = isLarger ? decay : 1;
        float otherRescale = isLarger ? 1 : decay;
        Max = isLarger ? other.Max : Max;
        float sum = Sum * rescale;
        float otherSum = other.Sum * otherRescale;
        Sum = sum + otherSum;
        float share = otherSum == 0 ? 0 : otherSum / Sum;
        float distance = (other.Center - Center) + (other.Remainder - Remainder);
        Remainder += distance * share;
        Squares = (Squares * rescale) + (other.Squares * otherRescale) + (distance * share * distance * sum);
        MoveCenter();
    }

    /// <summary>The sum of both, rounded, and what rounding took (Knuth's exact sum).</summary>
    private void MoveCenter()
    {
        float moved = Center + Remainder;
        float part = moved - Center;
        Remainder = (Center - (moved - part)) + (Remainder - part);
        Center = moved;
    }
}
