namespace FastLayers.Kernels.Selection;

/// <summary>The definition of <see cref="ExpertRouting"/> in double precision.</summary>
public static class ExpertRoutingReference
{
    /// <summary>Softmax over the experts, the largest shares in falling order, divided by their sum on demand.</summary>
    public static int Row(ReadOnlySpan<float> logits, bool renormalize, Span<int> experts, Span<float> weights)
    {
        var count = TopKReference.Row(logits, experts, weights);
        weights[count..].Clear();
        if (count == 0) return 0;

        double max = weights[0], sum = 0;
        if (renormalize) foreach (var logit in weights[..count]) sum += Math.Exp(logit - max);
        else foreach (var logit in logits) sum += Math.Exp(logit - max);
        foreach (ref var weight in weights[..count]) weight = (float)(Math.Exp(weight - max) / sum);
        return count;
    }
}
