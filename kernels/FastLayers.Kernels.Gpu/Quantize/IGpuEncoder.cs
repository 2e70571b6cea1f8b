using ILGPU;

namespace FastLayers.Kernels.Gpu.Quantize;

/// <summary>Packs one block by the fixed rule of its format, to the bytes of <see cref="Kernels.Formats.Format.Encode"/>. Implementations are empty structures.</summary>
internal interface IGpuEncoder
{
    /// <summary>Packs a block.</summary>
    /// <param name="x">The values.</param>
    /// <param name="codes">Receives the codes.</param>
    /// <param name="rest">Receives the other bytes.</param>
    /// <param name="zero">0; see <see cref="ExactFloat.Product"/>.</param>
    void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero);
}
