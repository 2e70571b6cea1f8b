namespace FastLayers.Kernels.Pruning;

/// <summary>The definition of <see cref="KeepTopK"/>: a token is kept if fewer than k come before it.</summary>
public static class KeepTopKReference
{
    /// <summary>The k largest scores in the order of the sequence; returns how many were found.</summary>
    public static int Row(ReadOnlySpan<float> scores, Span<int> kept, Span<float> values)
    {
        kept.Fill(-1);
        values.Fill(float.NegativeInfinity);
        int count = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            int before = 0;
            for (int j = 0; j < scores.Length; j++)
                if (scores[j] > scores[i] || (scores[j] == scores[i] && j < i)) before++;
            if (float.IsNaN(scores[i]) || before >= kept.Length) continue;
            kept[count] = i;
            values[count++] = scores[i];
        }

        return count;
    }
}
