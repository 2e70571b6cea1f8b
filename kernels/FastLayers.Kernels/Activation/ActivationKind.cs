namespace FastLayers.Kernels.Activation;

/// <summary>The elementwise nonlinearities of transformer blocks.</summary>
public enum ActivationKind
{
    /// <summary>x / (1 + e^-x), also called swish (Elfwing et al., arXiv:1702.03118).</summary>
    Silu,

    /// <summary>x · Φ(x) with the normal distribution function Φ(x) = (1 + erf(x/√2)) / 2 (Hendrycks and Gimpel, arXiv:1606.08415).</summary>
    GeluErf,

    /// <summary>x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))), the same paper's approximation.</summary>
    GeluTanh,

    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>max(0, x)² (So et al., arXiv:2109.08668).</summary>
    ReluSquared,

    /// <summary>tanh x.</summary>
    Tanh,
}
