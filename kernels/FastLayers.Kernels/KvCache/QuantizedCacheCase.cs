using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.KvCache;

/// <summary>
/// Catalog entries of <see cref="AppendQuantizedKv"/>, and the buffers that entries over a quantized cache share: one sequence with its pages in
/// reverse order, whose first tokens were appended before.
/// </summary>
public static unsafe class QuantizedCacheCase
{
    /// <summary>Key/value heads of all entries.</summary>
    internal const int Heads = Attention.AttentionCase.KvHeads;

    private const int Group = 32;

    /// <summary>One entry for each number of bits and each mode.</summary>
    public static IReadOnlyList<KernelOperation> Append { get; } =
    [
        .. from bits in (int[])[2, 4, 8, 16] select CreateAppend($"AppendQuantizedKv.Token{bits}", new(bits, bits, false)),
        .. from bits in (int[])[2, 4, 8] select CreateAppend($"AppendQuantizedKv.Kivi{bits}", new(bits, bits, true)),
    ];

    /// <summary>Bits, and whether the mode is KIVI's: scales of keys per channel, and keys and values in tails until their group is full.</summary>
    internal readonly record struct Kind(int KeyBits, int ValueBits, bool IsKivi)
    {
        public QuantizedPageLayout Keys(KernelShape shape) =>
            IsKivi ? QuantizedPageLayout.PerChannel(Heads, shape["size"], KeyBits) : QuantizedPageLayout.PerToken(Heads, shape["size"], KeyBits, Group);

        public QuantizedPageLayout Values(KernelShape shape) => QuantizedPageLayout.PerToken(Heads, shape["size"], ValueBits, Group, tail: IsKivi);
    }

    /// <summary>Pages of the sequence: room for all tokens.</summary>
    internal static int Pages(KernelShape shape) => (shape["tokens"] + PagedCache.PageLength - 1) / PagedCache.PageLength;

    /// <summary>Adds the cache and rows for all tokens, and appends the first <paramref name="appended"/>.</summary>
    internal static void Fill(KernelArguments arguments, Kind kind, int appended, KernelBufferRole role)
    {
        var shape = arguments.Shape;
        int pages = Pages(shape), tokens = shape["tokens"];
        arguments.Add<byte>("keys", role, checked((int)(pages * kind.Keys(shape).PageBytes)));
        arguments.Add<byte>("values", role, checked((int)(pages * kind.Values(shape).PageBytes)));
        AddTail("keyTail", kind.Keys(shape));
        AddTail("valueTail", kind.Values(shape));
        var table = arguments.Add<int>("pages", KernelBufferRole.Input, pages);
        for (int page = 0; page < pages; page++) table[page] = pages - 1 - page;
        arguments.Add<int>("sequences", KernelBufferRole.Input, tokens).Clear();
        var positions = arguments.Add<int>("positions", KernelBufferRole.Input, tokens);
        for (int i = 0; i < tokens; i++) positions[i] = i;
        arguments.Add<int>("lengths", KernelBufferRole.Input, 1)[0] = tokens;
        arguments.AddNoise("newKeys", tokens * Heads * shape["size"]);
        arguments.AddNoise("newValues", tokens * Heads * shape["size"]);
        AppendRows(arguments, kind, 0, appended);

        void AddTail(string name, QuantizedPageLayout layout) =>
            arguments.Add<float>(name, layout.TailLength > 0 ? role : KernelBufferRole.Input, layout.TailLength).Clear();
    }

    internal static QuantizedCache Cache(KernelArguments arguments, Kind kind) => new()
    {
        Keys = arguments["keys"].Pointer,
        Values = arguments["values"].Pointer,
        KeyLayout = kind.Keys(arguments.Shape),
        ValueLayout = kind.Values(arguments.Shape),
        PageTable = (int*)arguments["pages"].Pointer,
        PagesPerSequence = Pages(arguments.Shape),
        KeyTail = (float*)arguments["keyTail"].Pointer,
        ValueTail = (float*)arguments["valueTail"].Pointer,
        Lengths = (int*)arguments["lengths"].Pointer,
    };

    private static void AppendRows(KernelArguments arguments, Kind kind, int start, int end)
    {
        int row = Heads * arguments.Shape["size"];
        AppendQuantizedKv.Append(
            CallingThread.Pool,
            Cache(arguments, kind),
            (float*)arguments["newKeys"].Pointer + (start * row),
            (float*)arguments["newValues"].Pointer + (start * row),
            (int*)arguments["sequences"].Pointer + start,
            (int*)arguments["positions"].Pointer + start,
            end - start);
    }

    private static KernelOperation CreateAppend(string name, Kind kind) => new()
    {
        Name = name,
        Definition = "cache[positions[r]] = codes, scale and minimum of keys[r], values[r]" + (kind.IsKivi ? "; keys per channel, both in groups of 32 tokens, floats until these are full" : ""),
        Shapes = [Of(1, 8, 0), Of(31, 20, 0), Of(33, 33, 1), Of(70, 40, 37), Of(130, 64, 5)],
        Tolerance = 0,
        ToleranceReason = "Bytes must be equal: the definition fixes every rounding. Floats of the tail are copied.",
        BytesMoved = shape => (8L * (shape["tokens"] - shape["before"]) * Heads * shape["size"]) + ((shape["tokens"] - shape["before"]) * (kind.Keys(shape).PageBytes + kind.Values(shape).PageBytes) / PagedCache.PageLength),
        OperationCount = shape => 12L * (shape["tokens"] - shape["before"]) * Heads * shape["size"],
        Fill = arguments => Fill(arguments, kind, arguments.Shape["before"], KernelBufferRole.InputOutput),
        Reference = arguments =>
        {
            int before = arguments.Shape["before"], row = Heads * arguments.Shape["size"];
            QuantizedCacheReference.Append(
                Cache(arguments, kind),
                (float*)arguments["newKeys"].Pointer + (before * row),
                (float*)arguments["newValues"].Pointer + (before * row),
                (int*)arguments["sequences"].Pointer + before,
                (int*)arguments["positions"].Pointer + before,
                arguments.Shape["tokens"] - before);
        },
        Simd = (_, arguments) => AppendRows(arguments, kind, arguments.Shape["before"], arguments.Shape["tokens"]),
    };

    private static KernelShape Of(int tokens, int size, int before) => new(("tokens", tokens), ("size", size), ("before", before));
}
