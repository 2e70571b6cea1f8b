using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Catalog;

/// <summary>Measures what threads of the processor can do at most: move memory, compute in registers, and start together.</summary>
/// <remarks>An instance belongs to one caller at a time.</remarks>
public sealed unsafe class CpuLimits : IDisposable
{
    /// <summary>Bytes that are read: more than the caches of today's processors hold. A copy reads one half and writes the other.</summary>
    public const int MemoryBytes = 256 << 20;

    private const int Streams = 4;
    private const int SinkBytes = 64;
    private static readonly TimeSpan s_budget = TimeSpan.FromMilliseconds(300);

    private readonly SimdLevel _level;
    private readonly WorkerPool _pool;
    private readonly byte* _memory;
    private bool _isDisposed;

    /// <summary>Starts the threads and fills the memory.</summary>
    /// <param name="level">Width of the registers that compute.</param>
    /// <param name="threads">Threads, the caller's included; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is below 1 or above 1,024.</exception>
    public CpuLimits(SimdLevel level, int threads)
    {
        _level = level;
        _pool = new WorkerPool(threads);
        nuint bytes = (nuint)(MemoryBytes + (SinkBytes * threads));
        _memory = (byte*)NativeMemory.AlignedAlloc(bytes, SinkBytes);
        NativeMemory.Fill(_memory, bytes, 1);
    }

    /// <summary>Threads that compute, the caller's included.</summary>
    public int Threads => _pool.WorkerCount;

    /// <summary>Does once what is measured.</summary>
    public void Run(CpuLimit limit)
    {
        byte* sinks = _memory + MemoryBytes;
        switch (limit)
        {
            case CpuLimit.Read:
                _pool.Run(new ReadStreams(_memory, MemoryBytes / Threads, 1, sinks), Threads);
                break;
            case CpuLimit.ReadFourStreams:
                _pool.Run(new ReadStreams(_memory, MemoryBytes / Threads, Streams, sinks), Threads);
                break;
            case CpuLimit.Copy:
                _pool.Run(new CopyMemory(_memory, _memory + (MemoryBytes / 2), MemoryBytes / 2 / Threads), Threads);
                break;
            case CpuLimit.FloatMultiplyAdd when _level == SimdLevel.V512:
                _pool.Run(new MultiplyAddChains<FloatStep<Lanes512>, Lanes512>(sinks), Threads);
                break;
            case CpuLimit.FloatMultiplyAdd when _level == SimdLevel.V256:
                _pool.Run(new MultiplyAddChains<FloatStep<Lanes256>, Lanes256>(sinks), Threads);
                break;
            case CpuLimit.FloatMultiplyAdd:
                _pool.Run(new MultiplyAddChains<FloatStep<Lanes128>, Lanes128>(sinks), Threads);
                break;
            case CpuLimit.Int8MultiplyAdd when IsByte512:
                _pool.Run(new MultiplyAddChains<ByteStep512, Vector512<short>>(sinks), Threads);
                break;
            case CpuLimit.Int8MultiplyAdd when IsByteVnni:
                _pool.Run(new MultiplyAddChains<ByteStepVnni, Vector256<int>>(sinks), Threads);
                break;
            case CpuLimit.Int8MultiplyAdd when IsByte256:
                _pool.Run(new MultiplyAddChains<ByteStep256, Vector256<short>>(sinks), Threads);
                break;
            case CpuLimit.Int8MultiplyAdd:
                _pool.Run(new MultiplyAddChains<ByteStep128, Vector128<short>>(sinks), Threads);
                break;
            case CpuLimit.Dispatch:
                _pool.Run(default(NoWork), Threads);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(limit), limit, "There is no such limit.");
        }
    }

    /// <summary>Bytes that a run reads and writes.</summary>
    public long Bytes(CpuLimit limit) => limit switch
    {
        CpuLimit.Read => ReadStreams.Bytes(MemoryBytes / Threads, 1) * Threads,
        CpuLimit.ReadFourStreams => ReadStreams.Bytes(MemoryBytes / Threads, Streams) * Threads,
        CpuLimit.Copy => 2L * (MemoryBytes / 2 / Threads) * Threads,
        _ => 0,
    };

    /// <summary>Multiplications and additions of a run.</summary>
    public long Operations(CpuLimit limit) => Threads * limit switch
    {
        CpuLimit.FloatMultiplyAdd when _level == SimdLevel.V512 => MultiplyAddChains<FloatStep<Lanes512>, Lanes512>.Operations,
        CpuLimit.FloatMultiplyAdd when _level == SimdLevel.V256 => MultiplyAddChains<FloatStep<Lanes256>, Lanes256>.Operations,
        CpuLimit.FloatMultiplyAdd => MultiplyAddChains<FloatStep<Lanes128>, Lanes128>.Operations,
        CpuLimit.Int8MultiplyAdd when IsByte512 => MultiplyAddChains<ByteStep512, Vector512<short>>.Operations,
        CpuLimit.Int8MultiplyAdd when IsByteVnni => MultiplyAddChains<ByteStepVnni, Vector256<int>>.Operations,
        CpuLimit.Int8MultiplyAdd when IsByte256 => MultiplyAddChains<ByteStep256, Vector256<short>>.Operations,
        CpuLimit.Int8MultiplyAdd => MultiplyAddChains<ByteStep128, Vector128<short>>.Operations,
        _ => 0L,
    };

    /// <summary>Seconds that a run takes: the median of several.</summary>
    public double Measure(CpuLimit limit) => KernelTimer.Measure(
        count =>
        {
            for (int i = 0; i < count; i++) Run(limit);
        },
        s_budget);

    /// <summary>Measures all of them.</summary>
    public DeviceLimits Measure() => new(Bytes(CpuLimit.Copy) / Measure(CpuLimit.Copy), Operations(CpuLimit.FloatMultiplyAdd) / Measure(CpuLimit.FloatMultiplyAdd))
    {
        ReadBytesPerSecond = Bytes(CpuLimit.Read) / Measure(CpuLimit.Read),
        FourStreamReadBytesPerSecond = Bytes(CpuLimit.ReadFourStreams) / Measure(CpuLimit.ReadFourStreams),
        Int8OperationsPerSecond = Operations(CpuLimit.Int8MultiplyAdd) / Measure(CpuLimit.Int8MultiplyAdd),
        DispatchSeconds = Measure(CpuLimit.Dispatch),
        CacheBytes = CpuCaches.LargestBytes(CpuCaches.SystemFolder),
    };

    /// <summary>Stops the threads and frees the memory.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _pool.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    private bool IsByte512 => _level == SimdLevel.V512 && Avx512BW.IsSupported;

    private bool IsByteVnni => _level >= SimdLevel.V256 && AvxVnni.IsSupported;

    private bool IsByte256 => _level >= SimdLevel.V256 && Avx2.IsSupported;
}
