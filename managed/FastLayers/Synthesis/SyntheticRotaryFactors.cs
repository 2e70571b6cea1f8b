namespace FastLayers.Synthesis;

/// <summary>Tables of divisors for rotary frequencies, and what belongs to them.</summary>
internal static class SyntheticRotaryFactors
{
    /// <summary>Llama 3: wavelengths below original context / 4 stay, those above it are divided by the whole factor.</summary>
    private const double LowFrequency = 1, HighFrequency = 4;

    /// <summary>The divisors of Llama 3 for the frequencies <c>base^(-2i / dimensions)</c>.</summary>
    public static float[] Llama3(int dimensions, double frequencyBase, double factor, int originalContext)
    {
        var divisors = new float[dimensions / 2];
        for (var i = 0; i < divisors.Length; i++)
        {
            var turns = originalContext * Math.Pow(frequencyBase, -2.0 * i / dimensions) / (2 * Math.PI);
            var kept = Math.Clamp((turns - LowFrequency) / (HighFrequency - LowFrequency), 0, 1);
            divisors[i] = (float)(1 / ((1 - kept) / factor + kept));
        }
        return divisors;
    }

    /// <summary>A table for LongRoPE that rises from 1 to <paramref name="last"/>, as learned tables do.</summary>
    public static float[] Rising(int dimensions, double last)
    {
        var divisors = new float[dimensions / 2];
        for (var i = 0; i < divisors.Length; i++) divisors[i] = (float)Math.Pow(last, (i + 1.0) / divisors.Length);
        return divisors;
    }

    /// <summary>The factor on rotated queries and keys that goes with LongRoPE: sqrt(1 + ln(context / original) / ln(original)).</summary>
    public static float LongRopeAttention(int originalContext, int context) =>
        context <= originalContext || originalContext == 1 ? 1 : (float)Math.Sqrt(1 + Math.Log((double)context / originalContext) / Math.Log(originalContext));
}
