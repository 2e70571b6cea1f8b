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
    public void A_failure_reaches_the_caller_and_the_pool_goes_on()
    {
        using var pool = new WorkerPool(2);
        Assert.ThrowsAny<Exception>(() => pool.Run(new Fail(), 10));
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
        pool.Run(new Count(counts), 100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 100; round++) pool.Run(new Count(counts), 100);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Bad_use_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerPool(0));
        var pool = new WorkerPool(2);
        pool.Dispose();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.Run(new Fail(), 1));
    }

    private readonly struct Count(int[] counts) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int i = start; i < end; i++) Interlocked.Increment(ref counts[i]);
        }
    }

    private readonly struct Fail : IParallelWork
    {
        public void Execute(int start, int end, int worker) => throw new InvalidOperationException("as told");
    }
}
