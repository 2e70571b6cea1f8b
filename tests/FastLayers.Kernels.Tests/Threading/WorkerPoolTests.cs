using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.Threading;

public class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_item_is_computed_once(int workers)
    {
        using var pool = new WorkerPool(workers);
        var counts = new int[1000];
        for (int round = 0; round < 200; round++) pool.Run(new Count(counts), counts.Length - round);

        for (int i = 0; i < counts.Length; i++) Assert.Equal(Math.Min(200, counts.Length - i), counts[i]);
    }

    [Fact]
    public void Workers_that_fell_asleep_wake_up()
    {
        using var pool = new WorkerPool(3);
        var counts = new int[30];
        for (int round = 0; round < 20; round++)
        {
            pool.Run(new Count(counts), counts.Length);
            Thread.Sleep(2);
        }

        Assert.All(counts, count => Assert.Equal(20, count));
    }

    [Fact]
    public void A_failure_of_the_caller_s_share_is_thrown_as_it_is()
    {
        using var pool = new WorkerPool(2);
        Assert.Throws<InvalidOperationException>(() => pool.Run(new Fail(0), 10));
    }

    [Fact]
    public void A_failure_of_a_worker_reaches_the_caller_and_the_pool_goes_on()
    {
        using var pool = new WorkerPool(2);
        Assert.IsType<InvalidOperationException>(Assert.Throws<AggregateException>(() => pool.Run(new Fail(1), 10)).InnerException);
        Assert.IsType<OutOfMemoryException>(Assert.Throws<AggregateException>(() => pool.Run(new TakeTooMuch(pool, 1), 10)).InnerException);
        var counts = new int[10];
        pool.Run(new Count(counts), 10);
        Assert.All(counts, count => Assert.Equal(1, count));
    }

    [Fact]
    public async Task Callers_on_several_threads_take_turns()
    {
        using var pool = new WorkerPool(2);
        int[][] counts = [.. Enumerable.Range(0, 4).Select(_ => new int[100])];
        await Task.WhenAll(counts.Select(c => Task.Run(() =>
        {
            for (int round = 0; round < 500; round++) pool.Run(new Count(c), c.Length);
        })));

        Assert.All(counts, c => Assert.All(c, count => Assert.Equal(500, count)));
    }

    [Fact]
    public void Running_allocates_nothing()
    {
        using var pool = new WorkerPool(2);
        var counts = new int[100];

        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int round = 0; round < 100; round++) pool.Run(new Count(counts), 100);
        }));
    }

    [Fact]
    public void Bad_use_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerPool(0));
        var pool = new WorkerPool(2);
        pool.Dispose();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.Run(new Count([0]), 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Run(new Count([0]), 1, minimumPerWorker: 0));
    }

    [Fact]
    public void Callers_that_wait_while_the_pool_is_disposed_are_refused()
    {
        var pool = new WorkerPool(2);
        Thread[] callers = [.. Enumerable.Range(0, 4).Select(_ => new Thread(RunUntilRefused) { IsBackground = true })];
        foreach (var caller in callers) caller.Start();
        Thread.Sleep(20);
        pool.Dispose();
        Assert.All(callers, caller => Assert.True(caller.Join(10_000), "A caller waits for threads that have ended."));

        void RunUntilRefused()
        {
            var counts = new int[100];
            while (Record.Exception(() => pool.Run(new Count(counts), counts.Length)) is not ObjectDisposedException)
            {
            }
        }
    }

    [Fact]
    public void Work_that_runs_work_on_its_own_pool_is_refused()
    {
        using var pool = new WorkerPool(2);
        Assert.Throws<InvalidOperationException>(() => pool.Run(new Nest(pool, 0), 10));
        Assert.IsType<InvalidOperationException>(Assert.Throws<AggregateException>(() => pool.Run(new Nest(pool, 1), 10)).InnerException);
    }

    [Theory]
    [InlineData(20, 8, 2)]
    [InlineData(100, 8, 5)]
    [InlineData(7, 8, 1)]
    [InlineData(3, 1, 3)]
    public void No_worker_gets_less_than_the_minimum(int count, int minimum, int expectedShares)
    {
        using var pool = new WorkerPool(5);
        var shares = new int[5];
        pool.Run(new Share(shares), count, minimum);
        Assert.Equal(expectedShares, shares.Count(share => share > 0));
        Assert.All(shares, share => Assert.True(share == 0 || share >= Math.Min(minimum, count)));
        Assert.Equal(count, shares.Sum());
    }

    [Fact]
    public unsafe void Scratch_survives_a_request_that_is_too_large()
    {
        using var pool = new WorkerPool(1);
        pool.Scratch(0, 4096);
        Assert.Throws<OutOfMemoryException>(() => { pool.Scratch(0, long.MaxValue / 2); });
        byte* again = pool.Scratch(0, 64);
        Assert.True(again != null && (nint)again % 64 == 0);
        again[63] = 1;
    }

    private readonly struct Count(int[] counts) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int i = start; i < end; i++) Interlocked.Increment(ref counts[i]);
        }
    }

    /// <summary>Fails on one worker.</summary>
    private readonly struct Fail(int failing) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            if (worker == failing) throw new InvalidOperationException("as told");
        }
    }

    /// <summary>Asks for more memory than there is, on one worker.</summary>
    private readonly unsafe struct TakeTooMuch(WorkerPool pool, int failing) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            if (worker == failing) pool.Scratch(worker, long.MaxValue / 2);
        }
    }

    /// <summary>Records the size of each worker's share.</summary>
    private readonly struct Share(int[] shares) : IParallelWork
    {
        public void Execute(int start, int end, int worker) => shares[worker] += end - start;
    }

    /// <summary>Runs work on the pool that runs it.</summary>
    private readonly struct Nest(WorkerPool pool, int nesting) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            if (worker == nesting) pool.Run(new Count(new int[10]), 10);
        }
    }
}
