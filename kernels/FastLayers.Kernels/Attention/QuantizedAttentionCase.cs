using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>Catalog entries of <see cref="QuantizedAttentionSimd"/>: one sequence, its last rows attending, keys and values appended first.</summary>
public static unsafe class QuantizedAttentionCase
{
    /// <summary>One entry for each pair of key and value bits and each mode.</summary>
    public static IReadOnlyList<KernelOperation> All { get; } =
    [
        .. from keyBits in (int[])[2, 4, 8, 16] from valueBits in (int[])[2, 4, 8, 16] select Create("Token", new(keyBits, valueBits, false)),
        .. from keyBits in (int[])[2, 4, 8, 16] from valueBits in (int[])[2, 4, 8, 16] where keyBits + valueBits < 32 select Create("Kivi", new(keyBits, valueBits, true)),
    ];

    /// <summary>The bits and mode that an entry stands for.</summary>
    internal static QuantizedCacheCase.Kind KindOf(string name)
    {
        string[] parts = name.Split('.', 'K', 'V'); // "QuantizedAttention.Token.K4V2", "QuantizedAttention.Kivi.K4V2"
        return new(int.Parse(parts[^2], null), int.Parse(parts[^1], null), name.Contains(".Kivi.", StringComparison.Ordinal));
    }

    private static KernelOperation Create(string mode, QuantizedCacheCase.Kind kind) => new()
    {
        Name = $"QuantizedAttention.{mode}.K{kind.KeyBits}V{kind.ValueBits}",
        Definition = $"y = softmax(q·Kᵀ / √d) V, keys of {kind.KeyBits} bits with scales per {(kind.IsKivi ? "channel" : "token")}, values of {kind.ValueBits}"
            + (kind.IsKivi ? ", both as floats in the unfinished group of 32 tokens" : ""),
        Shapes = [Of(1, 1, 64, 1, 0), Of(0, 10, 16, 1, 0), Of(1, 31, 33, 1, 0), Of(2, 32, 20, 3, 0), Of(3, 33, 40, 1, 20), Of(2, 257, 64, 4, 0)],
        Tolerance = 1e-10,
        ToleranceReason = "The definition attends to the same decoded values, so that only float dot products, a softmax computed page by page and float sums differ: far below 1e-4 of values around 1.",
        BytesMoved = shape => (8L * shape["rows"] * QuantizedCacheCase.Heads * shape["group"] * shape["size"]) + (shape["tokens"] * (kind.Keys(shape).PageBytes + kind.Values(shape).PageBytes) / PagedCache.PageLength),
        OperationCount = shape => 4L * shape["rows"] * QuantizedCacheCase.Heads * shape["group"] * shape["tokens"] * shape["size"],
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            QuantizedCacheCase.Fill(arguments, kind, shape["tokens"], KernelBufferRole.Input);
            arguments.AddNoise("q", shape["rows"] * QuantizedCacheCase.Heads * shape["group"] * shape["size"]);
            arguments.Add<float>("y", KernelBufferRole.Output, shape["rows"] * QuantizedCacheCase.Heads * shape["group"] * shape["size"]);
            var first = arguments.Add<int>("first", KernelBufferRole.Input, shape["rows"]);
            var end = arguments.Add<int>("end", KernelBufferRole.Input, shape["rows"]);
            for (int row = 0; row < shape["rows"]; row++)
            {
                end[row] = shape["tokens"] - shape["rows"] + row + 1;
                first[row] = shape["window"] > 0 ? Math.Max(0, end[row] - shape["window"]) : 0;
            }
        },
        Reference = arguments =>
        {
            var y = arguments.Floats("y");
            var sums = new double[y.Length];
            QuantizedAttentionReference.Attend(Operands(arguments, kind), sums);
            for (int i = 0; i < sums.Length; i++) y[i] = (float)sums[i];
        },
        Simd = (level, arguments) => QuantizedAttentionSimd.Attend(CallingThread.Pool, Operands(arguments, kind), level),
    };

    private static QuantizedAttentionArguments Operands(KernelArguments arguments, QuantizedCacheCase.Kind kind) => new()
    {
        Cache = QuantizedCacheCase.Cache(arguments, kind),
        Query = (float*)arguments["q"].Pointer,
        Output = (float*)arguments["y"].Pointer,
        Sequences = (int*)arguments["sequences"].Pointer,
        First = (int*)arguments["first"].Pointer,
        End = (int*)arguments["end"].Pointer,
        Rows = arguments.Shape["rows"],
        Heads = QuantizedCacheCase.Heads * arguments.Shape["group"],
        Scale = 1f / MathF.Sqrt(arguments.Shape["size"]),
    };

    private static KernelShape Of(int rows, int tokens, int size, int group, int window) =>
        new(("rows", rows), ("tokens", tokens), ("size", size), ("group", group), ("window", window));
}
