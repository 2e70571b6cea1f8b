using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Catalog;

/// <summary>The pool of one worker on which the catalog runs kernels that share their work, so that the calling thread does all of it.</summary>
internal static class CallingThread
{
    /// <summary>The pool.</summary>
    public static WorkerPool Pool { get; } = new(1);
}
