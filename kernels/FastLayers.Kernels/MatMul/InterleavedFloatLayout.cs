using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>Eight floats of one column of a tile.</summary>
internal unsafe interface IInterleavedFloats
{
    /// <summary>Bytes of a float.</summary>
    static abstract int Bytes { get; }

    /// <summary>Whether reading a float takes several instructions, so that tiles are widened once for many rows of activations.</summary>
    static abstract bool IsCostly { get; }

    /// <summary>Column <paramref name="column"/> of the tile's eight rows.</summary>
    static abstract Vector256<float> Load(byte* tile, long column);
}

internal readonly unsafe struct InterleavedF32 : IInterleavedFloats
{
    public static int Bytes => 4;

    public static bool IsCostly => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(byte* tile, long column) => Vector256.Load((float*)tile + (8 * column));
}

internal readonly unsafe struct InterleavedF16 : IInterleavedFloats
{
    public static int Bytes => 2;

    public static bool IsCostly => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(byte* tile, long column) => EightRows.Halves(tile + (16 * column));
}

internal readonly unsafe struct InterleavedBF16 : IInterleavedFloats
{
    public static int Bytes => 2;

    public static bool IsCostly => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(byte* tile, long column) => (Avx2.ConvertToVector256Int32((ushort*)tile + (8 * column)) << 16).AsSingle();
}

/// <summary>A layout of a float format, with its kernel.</summary>
internal sealed unsafe class InterleavedFloatLayout<TFloats>(Format format) : InterleavedLayout(format)
    where TFloats : struct, IInterleavedFloats
{
    public override bool RoundsActivations => false;

    public override long ActivationBytes(int rows, int columns) => InterleavedRows.Bytes(rows, columns);

    internal override void Arrange(WorkerPool pool, float* input, int rows, int columns, byte* memory) => new InterleavedRows((float*)memory, rows).Fill(pool, input, columns);

    internal override void Multiply(WorkerPool pool, in MatMulArguments arguments, byte* memory, int start, int end, int worker) =>
        new InterleavedFloatProduct<TFloats>(pool, arguments, new InterleavedRows((float*)memory, arguments.Rows), TileBytes(arguments.Columns)).Execute(start, end, worker);

    private protected override long CodeBytes(int columns) => (long)TileRows * columns * TFloats.Bytes;

    private protected override long ScaleBytes(int columns) => 0;

    private protected override void StoreRow(byte* row, int columns, sbyte* codes, int index, byte* tile)
    {
        for (int k = 0; k < columns; k++)
        {
            if (TFloats.Bytes == 4) ((uint*)tile)[(TileRows * (long)k) + index] = ((uint*)row)[k];
            else ((ushort*)tile)[(TileRows * (long)k) + index] = ((ushort*)row)[k];
        }
    }
}
