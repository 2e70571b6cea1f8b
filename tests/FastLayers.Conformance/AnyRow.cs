using FastLayers.Kernels.Simd;
using FsCheck;
using FsCheck.Fluent;

namespace FastLayers.Conformance;

/// <summary>A row and a register width for properties: up to a few hundred values, of any scale.</summary>
/// <param name="Values">Finite values.</param>
/// <param name="Level">The register width.</param>
public sealed record AnyRow(float[] Values, SimdLevel Level)
{
    public override string ToString() => $"{Level} [{string.Join(", ", Values)}]";
}

/// <summary>Makes <see cref="AnyRow"/>s.</summary>
public static class AnyRowArbitrary
{
    public static Arbitrary<AnyRow> AnyRow() => (
        from length in Gen.Choose(1, 300)
        from scale in Gen.Elements(1e-3f, 1f, 30f, 1e4f)
        from values in Gen.Choose(-1_000_000, 1_000_000).ArrayOf(length)
        from level in Gen.Elements(SimdLevel.V128, SimdLevel.V256, SimdLevel.V512)
        select new AnyRow([.. values.Select(value => value * 1e-6f * scale)], level)).ToArbitrary();
}
