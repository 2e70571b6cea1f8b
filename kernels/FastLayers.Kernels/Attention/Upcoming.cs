using System.Runtime.Intrinsics.X86;

namespace FastLayers.Kernels.Attention;

/// <summary>Memory that will be read soon. The processor does not foresee it: rows are read block by block, and pages lie anywhere.</summary>
internal readonly unsafe struct Upcoming(byte* bytes, int length)
{
    private const int CacheLine = 64;

    /// <summary>Asks for one of several equal parts.</summary>
    public void Fetch(int part, int parts)
    {
        int end = (int)((long)length * (part + 1) / parts);
        for (int i = (int)((long)length * part / parts); i < end; i += CacheLine) Sse.Prefetch0(bytes + i);
    }
}
