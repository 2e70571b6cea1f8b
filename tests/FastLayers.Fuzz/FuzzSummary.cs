using System.Globalization;

namespace FastLayers.Fuzz;

/// <summary>What became of the cases of a run.</summary>
public sealed record FuzzSummary(long Accepted, long Refused, long Failed, TimeSpan Duration)
{
    public long Count => Accepted + Refused + Failed;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Count} cases: {Accepted} accepted, {Refused} refused, {Failed} failed ({Count / Math.Max(Duration.TotalSeconds, 1e-3):f0} cases/s)");
}
