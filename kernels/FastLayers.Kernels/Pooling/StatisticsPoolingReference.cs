namespace FastLayers.Kernels.Pooling;

/// <summary>The definition of <see cref="StatisticsPooling"/> in double precision: softmax, mean, then squares around it.</summary>
public static class StatisticsPoolingReference
{
    /// <summary>Pools one channel of one sequence.</summary>
    /// <param name="x">The features of the valid frames.</param>
    /// <param name="scores">Their scores.</param>
    /// <param name="varianceFloor">Least variance.</param>
    /// <returns>Weighted mean and standard deviation.</returns>
    public static (double Mean, double Deviation) Channel(ReadOnlySpan<float> x, ReadOnlySpan<float> scores, float varianceFloor)
    {
        double max = double.NegativeInfinity, total = 0, mean = 0, variance = 0;
        foreach (float score in scores) max = Math.Max(max, score);
        foreach (float score in scores) total += Math.Exp(score - max);
        for (int t = 0; t < x.Length; t++) mean += Math.Exp(scores[t] - max) / total * x[t];
        for (int t = 0; t < x.Length; t++) variance += Math.Exp(scores[t] - max) / total * (x[t] - mean) * (x[t] - mean);
        return (mean, Math.Sqrt(Math.Max(variance, varianceFloor)));
    }

    /// <summary>Pools all sequences and channels.</summary>
    /// <param name="x">Features [batch, frames, channels].</param>
    /// <param name="scores">Scores [batch, frames, channels] or [batch, frames].</param>
    /// <param name="lengths">Valid frames of each sequence.</param>
    /// <param name="frames">Frames of a sequence with its padding.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="mean">Receives [batch, channels].</param>
    /// <param name="deviation">Receives [batch, channels].</param>
    /// <param name="varianceFloor">Least variance.</param>
    public static void Attentive(
        ReadOnlySpan<float> x, ReadOnlySpan<float> scores, ReadOnlySpan<int> lengths, int frames, int channels, Span<float> mean, Span<float> deviation,
        float varianceFloor = StatisticsPooling.DefaultVarianceFloor)
    {
        bool perChannel = scores.Length == x.Length;
        for (int sequence = 0; sequence < lengths.Length; sequence++)
        {
            float[] channelValues = new float[lengths[sequence]], channelScores = new float[lengths[sequence]];
            for (int channel = 0; channel < channels; channel++)
            {
                for (int t = 0; t < lengths[sequence]; t++)
                {
                    int frame = (sequence * frames) + t;
                    channelValues[t] = x[(frame * channels) + channel];
                    channelScores[t] = scores[perChannel ? (frame * channels) + channel : frame];
                }

                var (center, width) = Channel(channelValues, channelScores, varianceFloor);
                mean[(sequence * channels) + channel] = (float)center;
                deviation[(sequence * channels) + channel] = (float)width;
            }
        }
    }
}
