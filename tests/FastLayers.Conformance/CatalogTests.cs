using FastLayers.Kernels;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Simd;

namespace FastLayers.Conformance;

/// <summary>Every entry of the catalog, at every shape and register width, against its definition.</summary>
public sealed class CatalogTests
{
    private const ulong Seed = 20_260_901;

    public static IEnumerable<TheoryDataRow<string, int, SimdLevel>> Cases =>
        from operation in KernelCatalog.Operations
        from shape in Enumerable.Range(0, operation.Shapes.Count)
        from level in Enum.GetValues<SimdLevel>()
        where operation.ReasonToSkip is null || (shape == 0 && level == SimdLevel.V128)
        select new TheoryDataRow<string, int, SimdLevel>(operation.Name, shape, level)
        {
            TestDisplayName = $"{operation.Name} [{operation.Shapes[shape]}] {level}",
        };

    public static IEnumerable<TheoryDataRow<string>> Names => KernelCatalog.Operations.Select(o => new TheoryDataRow<string>(o.Name));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Kernel_agrees_with_its_definition(string name, int shape, SimdLevel level)
    {
        var operation = Runnable(name);
        var outcome = KernelCheck.Run(new CpuKernelRunner(level), operation, operation.Shapes[shape], Seed + (ulong)shape);
        Assert.True(outcome.Failure is null, outcome.Failure);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Kernel_allocates_nothing(string name)
    {
        var operation = Runnable(name);
        var arguments = operation.Prepare(operation.Shapes[^1], Seed);
        foreach (var level in Enum.GetValues<SimdLevel>())
        {
            Assert.Equal(0, Allocations.Least(() => operation.Simd(level, arguments)));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Entry_is_complete(string name)
    {
        var operation = KernelCatalog.Find(name);
        Assert.NotEmpty(operation.Definition);
        Assert.NotEmpty(operation.ToleranceReason);
        Assert.InRange(operation.Tolerance, 0, 1e-2);
        Assert.Equal(operation.Shapes.Count, operation.Shapes.Select(shape => shape.ToString()).Distinct().Count());
        var largest = operation.Shapes[^1];
        Assert.True(operation.BytesMoved(largest) > 0);
        Assert.Contains(operation.Prepare(largest, Seed).Buffers, buffer => buffer.Role != KernelBufferRole.Input && buffer.Length > 0);
    }

    [Fact]
    public void Names_are_unique() =>
        Assert.Equal(KernelCatalog.Operations.Count, KernelCatalog.Operations.Select(operation => operation.Name).Distinct().Count());

    [Fact]
    public void Unknown_name_is_named_in_the_error() =>
        Assert.Contains("Nothing", Assert.Throws<KeyNotFoundException>(() => KernelCatalog.Find("Nothing")).Message, StringComparison.Ordinal);

    [Fact]
    public void Same_seed_gives_the_same_input_and_another_seed_another()
    {
        var operation = KernelCatalog.Operations[0];
        var first = operation.Prepare(RowShapes.Of(3, 31), 1);
        Assert.Equal(first.Floats("x").ToArray(), operation.Prepare(RowShapes.Of(3, 31), 1).Floats("x").ToArray());
        Assert.NotEqual(first.Floats("x").ToArray(), operation.Prepare(RowShapes.Of(3, 31), 2).Floats("x").ToArray());
    }

    private static KernelOperation Runnable(string name)
    {
        var operation = KernelCatalog.Find(name);
        Assert.SkipWhen(operation.ReasonToSkip is not null, operation.ReasonToSkip ?? "");
        return operation;
    }
}
