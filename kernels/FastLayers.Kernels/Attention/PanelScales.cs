using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Attention;

/// <summary>The scales of the blocks of a page.</summary>
internal static unsafe class PanelScales
{
    private const ushort Exponent = 0x7C00;

    /// <summary>Reads them as [blocks, tokens], with zeros behind the last token.</summary>
    /// <param name="rows">The rows of the page.</param>
    /// <param name="blockBytes">Bytes of a block, which starts with its scale.</param>
    /// <param name="blocks">Blocks of a row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="memory">Receives the scales.</param>
    /// <returns>Whether all are finite.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Read(byte* rows, int blockBytes, int blocks, int count, in PanelMemory memory)
    {
        // Token by token first, in the order of memory; read back soon after the last of them, halves would not have arrived yet.
        ushort* halves = memory.Halves;
        for (int token = 0; token < count; token++)
        {
            for (int block = 0; block < blocks; block++, rows += blockBytes) halves[(block * PagedCache.PageLength) + token] = *(ushort*)rows;
        }

        for (int block = 0; block < blocks && count < PagedCache.PageLength; block++)
            new Span<ushort>(halves + (block * PagedCache.PageLength) + count, PagedCache.PageLength - count).Clear();
        var found = Vector128<ushort>.Zero;
        float* scales = memory.Scales;
        for (int block = 0; block < blocks; block++, scales += PagedCache.PageLength, halves += PagedCache.PageLength)
        {
            for (int token = 0; token < PagedCache.PageLength; token += Lanes256.Count)
            {
                var exponent = Vector128.Create(Exponent);
                found |= Vector128.Equals(Vector128.Load(halves + token) & exponent, exponent);
                Lanes256.Multiply(Lanes256.LoadSmallHalf(halves + token), Lanes256.Broadcast(HalfBias.Factor)).Store(scales + token);
            }
        }

        return found == default;
    }
}
