using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Catalog;

/// <summary>Item i reads share i of memory, at the given number of places in turn, four cache lines at each.</summary>
internal readonly unsafe struct ReadStreams(byte* memory, int shareBytes, int streams, byte* sinks) : IParallelWork
{
    private const int StepBytes = 256;
    private const int SinkBytes = 64;

    /// <summary>Bytes that an item reads: whole steps of all streams.</summary>
    public static long Bytes(int shareBytes, int streams) => shareBytes / streams / StepBytes * StepBytes * (long)streams;

    public void Execute(int start, int end, int worker)
    {
        for (int item = start; item < end; item++) Read(memory + ((long)item * shareBytes), shareBytes / streams, streams, sinks + (item * SinkBytes));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Read(byte* share, int streamBytes, int streams, byte* sink)
    {
        Vector256<byte> a = default, b = default, c = default, d = default;
        for (int offset = 0; offset + StepBytes <= streamBytes; offset += StepBytes)
        {
            for (int stream = 0; stream < streams; stream++)
            {
                byte* place = share + ((long)stream * streamBytes) + offset;
                a ^= Vector256.Load(place) ^ Vector256.Load(place + 32);
                b ^= Vector256.Load(place + 64) ^ Vector256.Load(place + 96);
                c ^= Vector256.Load(place + 128) ^ Vector256.Load(place + 160);
                d ^= Vector256.Load(place + 192) ^ Vector256.Load(place + 224);
            }
        }

        (a ^ b ^ c ^ d).Store(sink);
    }
}

/// <summary>Item i copies share i of memory.</summary>
internal readonly unsafe struct CopyMemory(byte* source, byte* target, int shareBytes) : IParallelWork
{
    public void Execute(int start, int end, int worker)
    {
        for (int item = start; item < end; item++) Buffer.MemoryCopy(source + ((long)item * shareBytes), target + ((long)item * shareBytes), shareBytes, shareBytes);
    }
}

/// <summary>Nothing: what is left is the time to start and to wait.</summary>
internal readonly struct NoWork : IParallelWork
{
    public void Execute(int start, int end, int worker)
    {
    }
}

/// <summary>Each item runs chains of multiplications and additions that depend on their own last result only.</summary>
internal readonly unsafe struct MultiplyAddChains<TStep, TVector>(byte* sinks) : IParallelWork
    where TStep : struct, IMultiplyAddStep<TVector>
    where TVector : unmanaged
{
    private const int Rounds = 4096;
    private const int SinkBytes = 64;

    /// <summary>Two units whose instructions take up to six cycles are kept busy by no fewer; with the constants they fit sixteen registers.</summary>
    private const int Chains = 12;

    /// <summary>Multiplications and additions of an item.</summary>
    public static long Operations => (long)TStep.Operations * Chains * Rounds;

    public void Execute(int start, int end, int worker)
    {
        for (int item = start; item < end; item++) Compute((TVector*)(sinks + (item * SinkBytes)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute(TVector* sink)
    {
        TVector c0 = TStep.Start, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, c8 = c0, c9 = c0, c10 = c0, c11 = c0;
        var factor = TStep.Factor;
        var summand = TStep.Start;
        for (int i = 0; i < Rounds; i++)
        {
            c0 = TStep.Next(c0, factor, summand);
            c1 = TStep.Next(c1, factor, summand);
            c2 = TStep.Next(c2, factor, summand);
            c3 = TStep.Next(c3, factor, summand);
            c4 = TStep.Next(c4, factor, summand);
            c5 = TStep.Next(c5, factor, summand);
            c6 = TStep.Next(c6, factor, summand);
            c7 = TStep.Next(c7, factor, summand);
            c8 = TStep.Next(c8, factor, summand);
            c9 = TStep.Next(c9, factor, summand);
            c10 = TStep.Next(c10, factor, summand);
            c11 = TStep.Next(c11, factor, summand);
        }

        // Every chain reaches memory, so that none can be left out.
        *sink = TStep.Next(c0, c1, c2);
        *sink = TStep.Next(*sink, c3, c4);
        *sink = TStep.Next(*sink, c5, c6);
        *sink = TStep.Next(*sink, c7, c8);
        *sink = TStep.Next(*sink, c9, c10);
        *sink = TStep.Next(*sink, c11, c0);
    }
}
