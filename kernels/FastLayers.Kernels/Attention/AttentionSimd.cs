using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// Attention with the softmax computed online, page by page: the scores of one page of keys, their new maximum, the sums so far rescaled
/// to it, then the page's values added with their weights. Memory does not grow with the context. One work item is a tile of rows, a key/value
/// head with all query heads that share it, and, where there are few rows, a part of the context; parts are put together in their order. Bound: reading
/// the keys and values, or two multiply-adds an element and query head.
/// </summary>
public static unsafe class AttentionSimd
{
    /// <summary>Floats of the workspace: results of the parts of contexts; 0 where none is cut.</summary>
    /// <param name="arguments">The operands.</param>
    public static long WorkspaceLength(in AttentionArguments arguments)
    {
        if (arguments.Rows <= 0 || arguments.GroupSize <= 0) return 0;
        var split = new ContextSplit(arguments);
        return split.Parts == 1 ? 0 : (long)arguments.Rows * arguments.Heads * split.Parts * AttentionPart.Length(arguments.Cache.ValueSize);
    }

    /// <summary>Computes attention for all rows and heads.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="arguments">The operands.</param>
    /// <param name="workspace">Memory for <see cref="WorkspaceLength"/> floats; may be null where it is 0.</param>
    /// <exception cref="ArgumentException">The query heads are no multiple of the cache's, a row sees positions without a page, a format has no kernels or does not fit the heads, or the workspace is missing.</exception>
    public static void Attend(WorkerPool pool, in AttentionArguments arguments, float* workspace) => Attend(pool, arguments, workspace, SimdDispatch.Level);

    internal static void Attend(WorkerPool pool, in AttentionArguments arguments, float* workspace, SimdLevel level)
    {
        ArgumentNullException.ThrowIfNull(pool);
        arguments.Check(nameof(AttentionSimd));
        if (arguments.Rows == 0 || arguments.Heads == 0) return;
        var split = new ContextSplit(arguments);
        if (split.Parts > 1 && workspace == null)
            throw new ArgumentException($"{nameof(AttentionSimd)}: contexts are cut into {split.Parts} parts; expected a workspace of {WorkspaceLength(arguments)} floats, found none.", nameof(workspace));
        int items = checked(split.Tiles * arguments.Cache.Heads * split.Parts);
        switch (level)
        {
            case SimdLevel.V512: pool.Run(new AttentionWork<Lanes512>(pool, arguments, split, workspace), items); break;
            case SimdLevel.V256: pool.Run(new AttentionWork<Lanes256>(pool, arguments, split, workspace), items); break;
            case SimdLevel.V128: pool.Run(new AttentionWork<Lanes128>(pool, arguments, split, workspace), items); break;
            default: RowArguments.ThrowLevel(level); break;
        }

        if (split.Parts > 1) pool.Run(new AttentionPart.Work(arguments, split.Parts, workspace), arguments.Rows * arguments.Heads, AttentionPart.MinimumPerWorker);
    }
}
