using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.Gpu.MatMul;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.MatMul;

/// <summary>Q4_0 with scales that are 1 in 1,000 too large.</summary>
internal readonly struct WrongScale : IGpuBlock
{
    public int BlockLength => 32;

    public int GroupLength => 32;

    public int CodeOffset => 2;

    public int CodeBytes => 16;

    public int RestBytes => 2;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad) => default(GpuQ4_0).Codes(codes, block, quad);

    public float Scale(ArrayView<byte> rest, int block, int group) => default(GpuQ4_0).Scale(rest, block, group) * 1.001f;

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}

/// <summary>F32 without the last column of each row.</summary>
internal struct LostColumn : IGpuWeights
{
    public FloatWeights<float, GpuF32> All;

    public readonly bool AlwaysWhole => false;

    public readonly Float4 Quad(int output, int quad)
    {
        var values = All.Quad(output, quad);
        int last = All.Matrix.Columns - 1 - (4 * quad);
        return Quads.Of(last == 0 ? 0 : values.X, last == 1 ? 0 : values.Y, last == 2 ? 0 : values.Z, last == 3 ? 0 : values.W);
    }

    public readonly float Dot(int output, int octet, Float4 low, Float4 high) =>
        Quads.Dot(Quad(output, 2 * octet), low) + Quads.Dot(Quad(output, (2 * octet) + 1), high);
}

/// <summary>F16 without what a BF16 number cannot hold of it.</summary>
internal struct FirstPartOnly : IGpuTensorWeights
{
    public FloatWeights<ushort, GpuF16> All;

    public readonly bool AlwaysWhole => false;

    public readonly bool HasMinimums => false;

    public readonly bool HasSecondParts => false;

    public readonly Float4 Quad(int output, int quad)
    {
        var values = All.Quad(output, quad);
        return Quads.Of(FirstPart(values.X), FirstPart(values.Y), FirstPart(values.Z), FirstPart(values.W));
    }

    public readonly float Dot(int output, int octet, Float4 low, Float4 high) =>
        Quads.Dot(Quad(output, 2 * octet), low) + Quads.Dot(Quad(output, (2 * octet) + 1), high);

    public readonly Float4 Codes(int output, int quad) => Quad(output, quad);

    public readonly float Scale(int output, int sixteen) => 1;

    public readonly float Minimum(int output, int sixteen) => 0;

    private static float FirstPart(float value) => value - BF16Parts.Rest(value);
}

/// <summary>One group an output that stages the products of its threads in shared memory, with and without the barrier that this needs.</summary>
internal static class StagedProduct
{
    private const int Capacity = 2048;

    public static void WithBarrier(FloatProduct<FloatWeights<float, GpuF32>> a)
    {
        var shared = SharedMemory.Allocate<float>(Capacity);
        Stage(a, shared);
        Group.Barrier();
        Sum(a, shared);
    }

    public static void WithoutBarrier(FloatProduct<FloatWeights<float, GpuF32>> a)
    {
        var shared = SharedMemory.Allocate<float>(Capacity);
        Stage(a, shared);
        Sum(a, shared);
    }

    private static void Stage(FloatProduct<FloatWeights<float, GpuF32>> a, ArrayView<float> shared)
    {
        for (int quad = Group.IdxX; quad < a.Columns / 4; quad += Group.DimX)
            shared[quad] = Quads.Dot(a.Activations(Grid.IdxY, quad), a.Weights.Quad(Grid.IdxX, quad));
    }

    /// <summary>By the first thread, which starts first and so has the least chance to find the others done.</summary>
    private static void Sum(FloatProduct<FloatWeights<float, GpuF32>> a, ArrayView<float> shared)
    {
        float sum = 0;
        if (Group.IdxX != 0) return;
        for (int quad = 0; quad < a.Columns / 4; quad++) sum += shared[quad];
        a.Store(Grid.IdxY, Grid.IdxX, sum);
    }
}
