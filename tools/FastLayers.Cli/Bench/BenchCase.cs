using System.Globalization;

namespace FastLayers.Cli.Bench;

/// <summary>The two ways in which a model runs tokens, and what takes most of their time.</summary>
internal enum BenchKind
{
    /// <summary>Many tokens of one sequence in one pass.</summary>
    Prefill,

    /// <summary>One token a pass in each of some sequences.</summary>
    Decode,

    /// <summary>Products of rows with some matrices, one after another, without a model.</summary>
    MatMul,
}

/// <summary>One thing to measure.</summary>
/// <param name="Kind">How tokens are run.</param>
/// <param name="Tokens">Tokens a sequence; rows of a product.</param>
/// <param name="Depth">Tokens that are in each sequence before.</param>
/// <param name="Batch">Sequences; matrices.</param>
internal sealed record BenchCase(BenchKind Kind, int Tokens, int Depth, int Batch)
{
    /// <summary>Values that share a scale of the peer's matrices, if what is measured are products.</summary>
    public int? PeerBlock { get; init; }

    /// <summary>Tokens of all sequences; rows of all products.</summary>
    public long TokenCount => (long)Tokens * Batch;

    /// <summary>Forward passes that share the time: a prompt counts as one.</summary>
    public int Passes => Kind == BenchKind.Decode ? Tokens : 1;

    public string KindName => Kind switch
    {
        BenchKind.Decode => "decode",
        BenchKind.MatMul => "matmul",
        _ => "prefill",
    };

    /// <summary>What a table calls it.</summary>
    public string Label => PeerBlock is { } block ? string.Create(CultureInfo.InvariantCulture, $"{KindName}, peer block {block}") : KindName;

    /// <summary>What a peer is asked.</summary>
    public string PeerLine => Kind switch
    {
        BenchKind.Decode => string.Create(CultureInfo.InvariantCulture, $"decode {Tokens} depth {Depth} batch {Batch}"),
        BenchKind.MatMul => string.Create(CultureInfo.InvariantCulture, $"matmul {Tokens} matrices {Batch} block {PeerBlock}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"prefill {Tokens} depth {Depth}"),
    };

    /// <summary>Prefill, then decode with each number of sequences, at each depth.</summary>
    public static IReadOnlyList<BenchCase> All(int prompt, int generate, IReadOnlyList<int> depths, IReadOnlyList<int> batches)
    {
        var cases = new List<BenchCase>();
        foreach (int depth in depths)
        {
            if (prompt > 0) cases.Add(new BenchCase(BenchKind.Prefill, prompt, depth, 1));
            if (generate > 0) cases.AddRange(batches.Select(batch => new BenchCase(BenchKind.Decode, generate, depth, batch)));
        }

        return cases;
    }
}

/// <summary>What a run of a case took.</summary>
/// <param name="WallSeconds">Seconds on the clock.</param>
/// <param name="CpuSeconds">Seconds that all threads of the process computed; less than wall times threads where they waited or others ran.</param>
internal readonly record struct BenchSample(double WallSeconds, double CpuSeconds);

/// <summary>Something that runs cases.</summary>
internal interface IBenchEngine : IDisposable
{
    /// <summary>Its name in tables.</summary>
    string Name { get; }

    /// <summary>Runs a case once; what has to be there before is not measured.</summary>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    BenchSample Run(BenchCase work, CancellationToken cancellation);
}
