using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.KvCache;
using ILGPU;
using HalfSide = FastLayers.Kernels.Gpu.KvCache.GpuFloatSide<ushort, FastLayers.Kernels.Gpu.Formats.GpuF16>;

namespace FastLayers.Kernels.Gpu.Attention;

/// <summary>Attention over a quantized cache: see <see cref="QuantizedAttentionReference"/> for what, <see cref="AttentionTile"/> for how.</summary>
internal static class QuantizedAttentionKernels
{
    public static GpuKernel<AttentionTile.Arguments<HalfSide, GpuTokenSide>> HalfToken { get; } = new("QuantizedAttention.Half.Token", AttentionTile.Run);

    public static GpuKernel<AttentionTile.Arguments<GpuTokenSide, HalfSide>> TokenHalf { get; } = new("QuantizedAttention.Token.Half", AttentionTile.Run);

    public static GpuKernel<AttentionTile.Arguments<GpuTokenSide, GpuTokenSide>> TokenToken { get; } = new("QuantizedAttention.Token.Token", AttentionTile.Run);

    public static GpuKernel<AttentionTile.Arguments<GpuChannelSide, HalfSide>> ChannelHalf { get; } = new("QuantizedAttention.Channel.Half", AttentionTile.Run);

    public static GpuKernel<AttentionTile.Arguments<GpuChannelSide, GpuTokenSide>> ChannelToken { get; } = new("QuantizedAttention.Channel.Token", AttentionTile.Run);

    public static IReadOnlyList<GpuKernel> All { get; } = [HalfToken, TokenHalf, TokenToken, ChannelHalf, ChannelToken];

    public static IReadOnlyList<GpuOperation> Operations { get; } = [.. QuantizedAttentionCase.All.Select(entry => Operation(entry.Name))];

    /// <summary>Computes attention for all rows and heads.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="plan">How the work is cut.</param>
    /// <param name="cache">The cache.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="scratch">Memory for the parts of the context: <see cref="AttentionPlan.ScratchLength"/> floats.</param>
    public static void Launch(GpuLauncher launcher, in AttentionPlan plan, in GpuQuantizedCache cache, in GpuAttentionRows rows, ArrayView<float> scratch)
    {
        LaunchArguments.Require("QuantizedAttention", "tail of the keys", cache.KeyTail, cache.KeyLayout.TailLength);
        LaunchArguments.Require("QuantizedAttention", "tail of the values", cache.ValueTail, cache.ValueLayout.TailLength);
        if (cache.KeyLayout.TailTokens + cache.ValueLayout.TailTokens > 0) LaunchArguments.Require("QuantizedAttention", "lengths", cache.Lengths, 1);
        switch (cache.HasChannelKeys, cache.HasHalfKeys, cache.HasHalfValues)
        {
            case (true, _, true): Launch(launcher, ChannelHalf, plan, cache.ChannelSide(), cache.HalfSide(keys: false), cache, rows, scratch); break;
            case (true, _, false): Launch(launcher, ChannelToken, plan, cache.ChannelSide(), cache.TokenSide(keys: false), cache, rows, scratch); break;
            case (_, true, true): Launch(launcher, AttentionKernels.F16, plan, cache.HalfSide(keys: true), cache.HalfSide(keys: false), cache, rows, scratch); break;
            case (_, true, false): Launch(launcher, HalfToken, plan, cache.HalfSide(keys: true), cache.TokenSide(keys: false), cache, rows, scratch); break;
            case (_, false, true): Launch(launcher, TokenHalf, plan, cache.TokenSide(keys: true), cache.HalfSide(keys: false), cache, rows, scratch); break;
            default: Launch(launcher, TokenToken, plan, cache.TokenSide(keys: true), cache.TokenSide(keys: false), cache, rows, scratch); break;
        }
    }

    /// <summary>The cache of a catalog entry.</summary>
    internal static GpuQuantizedCache Cache(GpuBuffers b, string name) => AppendQuantizedKvKernels.Cache(b, QuantizedAttentionCase.KindOf(name));

    private static GpuOperation Operation(string name) => new(name, (launcher, b) =>
    {
        var (plan, scratch) = AttentionKernels.Plan(launcher, b);
        Launch(launcher, plan, Cache(b, name), AttentionKernels.Rows(b, softCap: 0), scratch);
    });

    private static void Launch<TKeys, TValues>(
        GpuLauncher launcher, GpuKernel<AttentionTile.Arguments<TKeys, TValues>> kernel, in AttentionPlan plan, TKeys keys, TValues values, in GpuQuantizedCache cache, in GpuAttentionRows rows, ArrayView<float> scratch)
        where TKeys : struct, IGpuCacheSide
        where TValues : struct, IGpuCacheSide =>
        AttentionKernels.Launch(launcher, kernel, plan, keys, values, cache.Heads, cache.PageTable, cache.PagesPerSequence, rows, scratch);
}
