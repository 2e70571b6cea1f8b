namespace FastLayers.Tests;

/// <summary>Measures what code allocates on the calling thread.</summary>
internal static class Allocations
{
    /// <summary>The fewest bytes that one of five calls of <paramref name="action"/> allocates; one call goes before, unmeasured.</summary>
    /// <remarks>A collection that another test causes can shift the thread's counter; code that allocates does so in every call.</remarks>
    public static long Least(Action action)
    {
        action();
        return Enumerable.Range(0, 5).Min(_ =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
    }
}
