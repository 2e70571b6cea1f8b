namespace FastLayers.Kernels.Rotary;

/// <summary>Which elements of a head are rotated together.</summary>
public enum RotaryStyle
{
    /// <summary>Elements 2i and 2i + 1, as in the RoPE paper and LLaMA files in GGUF.</summary>
    Adjacent,

    /// <summary>Elements i and i + d/2 of the d rotated ones, as in GPT-NeoX and Hugging Face checkpoints.</summary>
    Halves,
}
