using FastLayers.Kernels.Activation;
using FastLayers.Loading;

namespace FastLayers.Architectures;

/// <summary>
/// Universal Sentence Encoder Lite: a safetensors file without a configuration, recognized by its tensors. Pre-norm, 4 heads, ReLU,
/// sinusoidal positions (a half of sines, then a half of cosines), embeddings times 2, a projection of the first block's input to the
/// wider stream; the sentence is the mean over tokens through a tanh layer, scaled to length 1.
/// </summary>
internal static class UseLite
{
    public const string Name = "use-lite";

    public const string TimescalesTensor = "pos.inv_timescales";

    private const int Heads = 4;

    /// <summary>Tokens that the model was made for.</summary>
    private const int ContextLength = 128;

    private const float EmbeddingScale = 2;

    public static Architecture Architecture { get; } = new(Name)
    {
        Norm = NormKind.Layer,
        Activation = ActivationKind.Relu,
        Gated = false,
        Rotary = false,
        Causal = false,
    };

    public static bool Recognizes(ModelFile file) => file.TryGetTensor(TimescalesTensor, out _) && file.TryGetTensor("blk.0.residual_proj.weight", out _);

    public static TransformerConfig Config(ModelFile file)
    {
        int layers = 0;
        while (file.TryGetTensor($"blk.{layers}.attn_qkv.weight", out _)) layers++;
        if (layers == 0) file.GetTensor("blk.0.attn_qkv.weight");
        var embedding = Shape(file, "token_embd.weight");
        if (embedding[1] % 2 != 0) throw new InvalidDataException($"{file.Path}: {Name} needs an even embedding width, found {embedding[1]}.");
        var up = Shape(file, "blk.0.ffn_up.weight");
        return new TransformerConfig
        {
            Architecture = Name,
            Name = "Universal Sentence Encoder Lite",
            VocabularySize = (int)embedding[0],
            Width = (int)up[1],
            LayerCount = layers,
            ContextLength = ContextLength,
            EmbeddingScale = EmbeddingScale,
            Norm = new NormConfig(NormKind.Layer, 1e-6f),
            Attention = new AttentionConfig { Heads = Heads, KvHeads = Heads, KeySize = 0, ValueSize = 0, Causal = false },
            FeedForward = new FeedForwardConfig { Activation = ActivationKind.Relu, Width = (int)up[0] },
        };
    }

    /// <summary>The position table [<see cref="ContextLength"/>, width] that the stored inverse timescales stand for.</summary>
    public static unsafe float[] Positions(ReadOnlySpan<float> inverseTimescales)
    {
        int half = inverseTimescales.Length;
        var table = new float[ContextLength * 2 * half];
        for (int position = 0; position < ContextLength; position++)
        {
            for (int i = 0; i < half; i++)
            {
                double angle = position * (double)inverseTimescales[i];
                table[(position * 2 * half) + i] = (float)Math.Sin(angle);
                table[(position * 2 * half) + half + i] = (float)Math.Cos(angle);
            }
        }

        return table;
    }

    private static long[] Shape(ModelFile file, string name) =>
        file.TryGetTensor(name, out var entry) && entry.Shape.Length == 2
            ? entry.Shape
            : throw new InvalidDataException($"{file.Path}: {Name} needs a matrix '{name}'.");
}
