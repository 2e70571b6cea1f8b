using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.Text;

/// <summary>Every kernel in every specialization, as the text that a CUDA driver would get.</summary>
public sealed class PtxTextTests
{
    public static IEnumerable<TheoryDataRow<string>> Names => GpuCatalog.Kernels.Select(kernel => new TheoryDataRow<string>(kernel.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Ptx_is_clean(string name)
    {
        var kernel = GpuCatalog.Kernels.Single(candidate => candidate.Name == name);

        // At O1 loads have no address space yet, so that only the level that runs has the instructions meant.
        foreach (var level in new[] { OptimizationLevel.O1, OptimizationLevel.O2 })
            Assert.Empty(PtxLint.Findings(KernelText.Ptx(kernel, level), level == OptimizationLevel.O2 ? kernel.ExpectedInstructions : []));
    }

    [Fact]
    public void Names_are_unique() =>
        Assert.Equal(GpuCatalog.Kernels.Count, GpuCatalog.Kernels.Select(kernel => kernel.Name).Distinct().Count());

    [Fact]
    public void Operations_name_entries_of_the_catalog() =>
        Assert.All(GpuCatalog.Operations, operation => Assert.Contains(KernelCatalog.Operations, entry => entry.Name == operation.Name));
}
