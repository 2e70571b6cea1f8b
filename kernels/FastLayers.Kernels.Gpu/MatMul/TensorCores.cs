using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>The tiles that are multiplied by the tensor cores of a CUDA device, and when.</summary>
internal static class TensorCores
{
    /// <summary>Threads a group, no fewer: the warps share out the tile.</summary>
    public const int GroupSize = 256;

    /// <summary>Rows, and outputs, of a tile.</summary>
    public const int TileLength = 64;

    /// <summary>Rows from which tiles of 64 are worth their empty places.</summary>
    private const int RowMinimum = 32;

    /// <summary>
    /// Whether to multiply that many rows by tensor cores: those of compute capability 8.0 and later have the instructions, and groups must have
    /// enough threads.
    /// </summary>
    public static bool AreFor(GpuLauncher launcher, int rows) =>
        rows >= RowMinimum && launcher.GroupLimit >= GroupSize && launcher.Accelerator is CudaAccelerator cuda && cuda.Architecture >= CudaArchitecture.SM_80;

    /// <summary>The groups of a product.</summary>
    public static Index3D Groups(int rows, int outputs) => new((outputs + TileLength - 1) / TileLength, (rows + TileLength - 1) / TileLength, 1);
}
