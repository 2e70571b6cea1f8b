namespace FastLayers.Cli.Bench;

/// <summary>One line of <see cref="OperationShares"/>; calls and seconds are those of one pass.</summary>
internal sealed record OperationShare(string Operation, double Calls, double Seconds, double Share);

/// <summary>Where the time of a forward pass goes.</summary>
internal sealed record OperationShares(BenchCase Case, double PassSeconds, IReadOnlyList<OperationShare> Operations)
{
    /// <summary>What passes between operations: the transformer's own loops, and the clock.</summary>
    public const string Between = "(between operations)";

    /// <summary>The share of the operations that a forward pass cannot do without.</summary>
    public double MatMulAndAttention => Operations.Where(o => o.Operation.Contains("MatMul", StringComparison.Ordinal) || o.Operation.StartsWith("Attend", StringComparison.Ordinal)).Sum(o => o.Share);

    /// <summary>Runs a case some times with a profile and divides what it saw by the passes.</summary>
    public static OperationShares Measure(ModelEngine engine, BenchCase work, int repetitions, CancellationToken cancellation)
    {
        var profile = new DeviceProfile();
        double total = 0;
        for (int repetition = 0; repetition < repetitions; repetition++) total += engine.Run(work, profile, cancellation).WallSeconds;
        double passes = (double)work.Passes * repetitions;
        double between = Math.Max(0, total - profile.Operations.Sum(o => o.Time.TotalSeconds));
        return new OperationShares(work, total / passes,
        [
            .. profile.Operations.Select(o => new OperationShare(o.Operation, o.Calls / passes, o.Time.TotalSeconds / passes, o.Time.TotalSeconds / total)),
            new OperationShare(Between, 0, between / passes, between / total),
        ]);
    }
}
