namespace FastLayers.Kernels.KvCache;

/// <summary>
/// A <see cref="PagedCache"/> whose keys and values have 2, 4, 8 or 16 bits each, see <see cref="QuantizedPageLayout"/>. Pages are only
/// appended to: what is packed never changes. Where scales of keys are per channel (KIVI, arXiv 2402.02750), a group of 32 tokens can only be packed
/// when it is full; until then it lies as floats in <see cref="KeyTail"/>, and values with <see cref="QuantizedPageLayout.TailTokens"/> in
/// <see cref="ValueTail"/>. Tails keep the last 32 tokens of a sequence: it can be shortened to any length whose group starts among these.
/// </summary>
public readonly unsafe struct QuantizedCache
{
    /// <summary>Keys of page 0.</summary>
    public required byte* Keys { get; init; }

    /// <summary>Values of page 0.</summary>
    public required byte* Values { get; init; }

    /// <summary>Layout of the keys.</summary>
    public required QuantizedPageLayout KeyLayout { get; init; }

    /// <summary>Layout of the values: per token.</summary>
    public required QuantizedPageLayout ValueLayout { get; init; }

    /// <summary>Page numbers, [sequences, <see cref="PagesPerSequence"/>].</summary>
    public required int* PageTable { get; init; }

    /// <summary>Width of the page table.</summary>
    public required int PagesPerSequence { get; init; }

    /// <summary>The tails of the keys, [sequences, <see cref="QuantizedPageLayout.TailLength"/>]; null where their layout has none.</summary>
    public float* KeyTail { get; init; }

    /// <summary>The tails of the values, [sequences, <see cref="QuantizedPageLayout.TailLength"/>]; null where their layout has none.</summary>
    public float* ValueTail { get; init; }

    /// <summary>Tokens that each sequence holds, which tells attention how many of them are packed; null where no layout has a tail.</summary>
    public int* Lengths { get; init; }

    /// <summary>Number of key/value heads.</summary>
    public int Heads => KeyLayout.Heads;

    /// <summary>The keys.</summary>
    internal QuantizedSide KeySide => new(Keys, KeyLayout, KeyTail, this);

    /// <summary>The values.</summary>
    internal QuantizedSide ValueSide => new(Values, ValueLayout, ValueTail, this);

    /// <summary>Throws unless keys and values fit together and the tails are there.</summary>
    /// <param name="operation">Who asks.</param>
    /// <param name="reads">Whether tokens are read, which takes the lengths of the sequences.</param>
    /// <exception cref="ArgumentException">They do not, or are not.</exception>
    internal void Check(string operation, bool reads)
    {
        if (KeyLayout.Heads != ValueLayout.Heads)
            throw new ArgumentException($"{operation}: keys have {KeyLayout.Heads} heads, values {ValueLayout.Heads}.", nameof(operation));
        if (ValueLayout.ChannelScales != 0) throw new ArgumentException($"{operation}: scales per channel are for keys only.", nameof(operation));
        if (KeyLayout.TailTokens != 0 && KeyTail == null) throw new ArgumentException($"{operation}: keys that wait for their group need a tail.", nameof(operation));
        if (ValueLayout.TailTokens != 0 && ValueTail == null) throw new ArgumentException($"{operation}: values that wait for their group need a tail.", nameof(operation));
        if (reads && KeyLayout.TailTokens + ValueLayout.TailTokens != 0 && Lengths == null)
            throw new ArgumentException($"{operation}: a cache with a tail needs the lengths of the sequences.", nameof(operation));
    }
}
