using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>A scale or minimum stored as an IEEE half inside a block.</summary>
internal readonly struct HalfScale
{
    private readonly ushort bits;

    private HalfScale(ushort bits) => this.bits = bits;

    /// <summary>The stored bits.</summary>
    public ushort Bits => bits;

    /// <summary>The stored value.</summary>
    public float Value => HalfPrecision.DecodeF16(bits);

    /// <summary>Whether the value is neither infinite nor a NaN.</summary>
    public bool IsFinite => (bits & 0x7C00) != 0x7C00;

    /// <summary>Rounds to the nearest half.</summary>
    public static HalfScale From(float value) => new(HalfPrecision.EncodeF16(value));
}
