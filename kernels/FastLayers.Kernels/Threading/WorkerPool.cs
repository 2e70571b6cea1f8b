using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastLayers.Kernels.Threading;

/// <summary>A piece of work that can be cut into independent items.</summary>
/// <remarks>Implemented by structs, so that running one allocates nothing and calls nothing virtual.</remarks>
public interface IParallelWork
{
    /// <summary>Computes items <paramref name="start"/> to <paramref name="end"/> (exclusive).</summary>
    /// <param name="start">First item.</param>
    /// <param name="end">One past the last item.</param>
    /// <param name="worker">Index of the calling worker, below <see cref="WorkerPool.WorkerCount"/>; selects scratch memory.</param>
    void Execute(int start, int end, int worker);
}

/// <summary>
/// A fixed set of threads that share the items of one operation after another. The caller is one of them. Idle workers spin for
/// <see cref="SpinMicroseconds"/>, since the next operation usually follows within a microsecond, then sleep.
/// </summary>
/// <remarks>
/// Every worker gets the same contiguous share of as many items each time. A kernel must not let an item's result depend on the share that
/// it falls into; then results do not depend on the number of threads. One operation runs at a time: concurrent callers wait in turn.
/// </remarks>
public sealed unsafe class WorkerPool : IDisposable
{
    /// <summary>How long an idle worker spins before it sleeps: longer than the gap between two operations, shorter than a time slice.</summary>
    private const int SpinMicroseconds = 40;

    /// <summary>One cache line, and the width of the widest vector.</summary>
    private const int ScratchAlignment = 64;

    private readonly byte*[] _scratch;
    private readonly long[] _scratchBytes;
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _wake;
    private readonly int[] _sleeping;
    private readonly Lock _callerLock = new();

    // The pool whose work this thread computes for good; null on threads of others.
    [ThreadStatic]
    private static WorkerPool? s_workerOf;

    private readonly long _spinTicks = System.Diagnostics.Stopwatch.Frequency * SpinMicroseconds / 1_000_000;

    private delegate*<void*, int, int, int, void> _execute;
    private void* _work;
    private int _count;
    private int _shares;
    private volatile int _epoch;
    private int _pending;
    private volatile Exception? _failure;
    private volatile bool _disposed;

    /// <summary>Starts the threads.</summary>
    /// <param name="workerCount">Number of threads that compute, the caller's included; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="workerCount"/> is below 1 or above 1,024.</exception>
    public WorkerPool(int workerCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workerCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(workerCount, 1024);
        WorkerCount = workerCount;
        _scratch = new byte*[workerCount];
        _scratchBytes = new long[workerCount];
        _threads = new Thread[workerCount - 1];
        _wake = new SemaphoreSlim[workerCount - 1];
        _sleeping = new int[workerCount - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int index = i;
            _wake[i] = new SemaphoreSlim(0);
            _threads[i] = new Thread(() => Loop(index)) { IsBackground = true, Name = $"FastLayers worker {i + 1}" };
            _threads[i].Start();
        }
    }

    /// <summary>Number of threads that compute, the caller's included.</summary>
    public int WorkerCount { get; }

    /// <summary>Runs <paramref name="work"/> over items 0 to <paramref name="count"/>, and returns when all are done.</summary>
    /// <param name="work">The work; read by several threads at once.</param>
    /// <param name="count">Number of items; nothing happens for 0.</param>
    /// <param name="minimumPerWorker">At least 1. As many workers share the items as get at least this many each.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minimumPerWorker"/> is below 1.</exception>
    /// <exception cref="ObjectDisposedException">The pool was disposed, perhaps while the caller waited for its turn.</exception>
    /// <exception cref="InvalidOperationException">Work of this pool called; it would wait for itself.</exception>
    /// <exception cref="AggregateException">A worker other than the caller's thread failed; the failure is inside.</exception>
    public void Run<TWork>(TWork work, int count, int minimumPerWorker = 1)
        where TWork : struct, IParallelWork
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minimumPerWorker, 1);
        if (s_workerOf == this || _callerLock.IsHeldByCurrentThread)
            throw new InvalidOperationException("Work must not run other work on the pool that computes it.");
        lock (_callerLock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (count <= 0) return;
            _shares = Math.Clamp(count / minimumPerWorker, 1, WorkerCount);
            if (_shares == 1)
            {
                work.Execute(0, count, 0);
                return;
            }

            // The struct lives in this stack frame, which outlasts the operation: it is left only when no worker is inside any more.
            _work = Unsafe.AsPointer(ref work);
            _execute = &Invoke<TWork>;
            _count = count;
            _failure = null;
            Volatile.Write(ref _pending, _threads.Length);
            Interlocked.Increment(ref _epoch);
            for (int i = 0; i < _threads.Length; i++)
            {
                if (Interlocked.Exchange(ref _sleeping[i], 0) == 1) _wake[i].Release();
            }

            try
            {
                ExecuteShare(0);
            }
            finally
            {
                var spin = new SpinWait();
                while (Volatile.Read(ref _pending) != 0) spin.SpinOnce(sleep1Threshold: -1);
                _work = null;
            }

            if (_failure is { } failure) throw new AggregateException(failure);
        }
    }

    /// <summary>Memory for the intermediate results of one worker, 64-byte aligned, valid until the worker's next call.</summary>
    /// <param name="worker">The index that <see cref="IParallelWork.Execute"/> was given. Only that worker may ask.</param>
    /// <param name="bytes">Size needed. The memory is kept, so asking for the same size again allocates nothing.</param>
    /// <exception cref="OutOfMemoryException">There is not so much memory.</exception>
    public byte* Scratch(int worker, long bytes)
    {
        if (_scratchBytes[worker] < bytes)
        {
            FreeScratch(worker);
            _scratch[worker] = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, ScratchAlignment);
            _scratchBytes[worker] = bytes;
        }

        return _scratch[worker];
    }

    /// <summary>Stops the threads.</summary>
    public void Dispose()
    {
        lock (_callerLock)
        {
            if (_disposed) return;
            _disposed = true;
            Interlocked.Increment(ref _epoch);
            foreach (var wake in _wake) wake.Release();
        }

        foreach (var thread in _threads) thread.Join();
        foreach (var wake in _wake) wake.Dispose();
        for (int i = 0; i < WorkerCount; i++) FreeScratch(i);
    }

    /// <summary>Forgets the memory too: allocating its successor may fail, and it must not be freed twice then.</summary>
    private void FreeScratch(int worker)
    {
        NativeMemory.AlignedFree(_scratch[worker]);
        _scratch[worker] = null;
        _scratchBytes[worker] = 0;
    }

    private static void Invoke<TWork>(void* work, int start, int end, int worker)
        where TWork : struct, IParallelWork =>
        Unsafe.AsRef<TWork>(work).Execute(start, end, worker);

    private void ExecuteShare(int worker)
    {
        if (worker >= _shares) return;
        int start = (int)((long)_count * worker / _shares);
        int end = (int)((long)_count * (worker + 1) / _shares);
        _execute(_work, start, end, worker);
    }

    private void Loop(int index)
    {
        s_workerOf = this;
        int seen = 0;
        while (true)
        {
            WaitForWork(index, seen);
            seen = _epoch;
            if (_disposed) return;
            try
            {
                ExecuteShare(index + 1);
            }
            catch (Exception exception)
            {
                // Every failure belongs to the caller; one that leaves this thread would end the process.
                _failure = exception;
            }

            Interlocked.Decrement(ref _pending);
        }
    }

    private void WaitForWork(int index, int seen)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        while (_epoch == seen)
        {
            Thread.SpinWait(8);
            if (System.Diagnostics.Stopwatch.GetTimestamp() - start < _spinTicks) continue;

            Interlocked.Exchange(ref _sleeping[index], 1);
            if (_epoch != seen)
            {
                // Work arrived between the last look and lying down. Whoever clears the flag decides who owns the wake-up token.
                if (Interlocked.Exchange(ref _sleeping[index], 0) == 0) _wake[index].Wait();
                return;
            }

            _wake[index].Wait();
            start = System.Diagnostics.Stopwatch.GetTimestamp();
        }
    }
}
