using System.Runtime.CompilerServices;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Embedding;

/// <summary>
/// Unpacks a chunk of a row to codes and scales on the stack, then multiplies. The product is rounded before the minimum is subtracted,
/// as the formats define it.
/// </summary>
internal static unsafe class EmbeddingLookupSimd
{
    // A multiple of the block length of every format.
    private const int ChunkLength = 256;

    // The shortest group that Unpack gives; no register is longer, so that each lies within one group.
    private const int ShortestGroup = 16;

    /// <summary>One row, whose length has been checked.</summary>
    public static void Row<TLanes>(Format format, ReadOnlySpan<byte> row, float scale, Span<float> y) where TLanes : unmanaged, ILanes<TLanes>
    {
        fixed (float* result = y)
        {
            if (format.GroupLength != 0)
            {
                Quantized<TLanes>(format, row, scale, result, y.Length);
                return;
            }

            format.Decode(row, y);
            if (scale != 1) RowLoop.Map<TLanes, MultiplyBy<TLanes>>(new(TLanes.Broadcast(scale)), result, result, y.Length);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Quantized<TLanes>(Format format, ReadOnlySpan<byte> row, float scale, float* y, int length)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var codes = stackalloc sbyte[ChunkLength];
        var scales = stackalloc float[ChunkLength / ShortestGroup];
        var minimums = stackalloc float[ChunkLength / ShortestGroup];
        var factor = TLanes.Broadcast(scale);
        var group = format.GroupLength;
        for (var start = 0; start < length; start += ChunkLength)
        {
            var count = Math.Min(ChunkLength, length - start);
            var bytes = count / format.BlockLength * format.BlockBytes;
            format.Unpack(row[..bytes], new(codes, count), new(scales, count / group), new(minimums, count / group));
            row = row[bytes..];
            for (var i = 0; i < count; i += TLanes.Count)
            {
                var product = TLanes.Multiply(TLanes.Broadcast(scales[i / group]), TLanes.LoadSByte(codes + i));
                var value = TLanes.Subtract(product, TLanes.Broadcast(minimums[i / group]));
                TLanes.Multiply(value, factor).Store(y + start + i);
            }
        }
    }
}
