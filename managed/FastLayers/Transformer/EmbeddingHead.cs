using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Formats;

namespace FastLayers;

/// <summary>Makes one vector of length 1 (Euclidean) of a model's final token vectors.</summary>
internal static class EmbeddingHead
{
    /// <summary>Pools, applies the head if the model has one, and scales.</summary>
    /// <param name="transformer">The model.</param>
    /// <param name="hidden">Final hidden states [tokens, width].</param>
    public static float[] Apply(Transformer transformer, ReadOnlySpan<float> hidden)
    {
        var device = transformer.Device;
        int width = transformer.Config.Width;
        int tokens = hidden.Length / width;
        var head = transformer.Weights.PoolingHead;
        using var rows = device.Allocate(Format.F32, tokens, width);
        using var pooled = device.Allocate(Format.F32, 1, width);
        using var embedding = device.Allocate(Format.F32, 1, head?.Outputs ?? width);
        device.Write(rows, 0, hidden);
        device.Pool(transformer.Config.Pooling, rows, pooled, tokens, width);
        if (head is null)
        {
            device.L2Normalize(pooled, embedding, 1, width);
        }
        else
        {
            device.MatMul(head.Weight, head.Bias, pooled, embedding, 1, ActivationPrecision.Float32);
            device.Activate(ActivationKind.Tanh, embedding, null, embedding, 1, head.Outputs);
            device.L2Normalize(embedding, embedding, 1, head.Outputs);
        }

        var values = new float[embedding.Columns];
        device.Read(embedding, 0, values);
        return values;
    }
}
