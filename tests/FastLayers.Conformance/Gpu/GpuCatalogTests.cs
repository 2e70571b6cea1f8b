using FastLayers.Kernels;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Gpu;

namespace FastLayers.Conformance.Gpu;

/// <summary>Every entry of the catalog that has a GPU kernel, at every shape, on every kind of device that this machine has.</summary>
public sealed class GpuCatalogTests
{
    private const ulong Seed = 20_261_124;

    public static IEnumerable<TheoryDataRow<GpuBackend, string, int>> Cases =>
        from backend in Enum.GetValues<GpuBackend>()
        where GpuTarget.Of(backend).Launcher is not null
        from operation in GpuCatalog.Operations
        let entry = KernelCatalog.Find(operation.Name)
        from shape in Enumerable.Range(0, entry.Shapes.Count)
        select new TheoryDataRow<GpuBackend, string, int>(backend, entry.Name, shape) { TestDisplayName = $"{entry.Name} [{entry.Shapes[shape]}] {backend}" };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Kernel_agrees_with_its_definition(GpuBackend backend, string name, int shape)
    {
        var operation = KernelCatalog.Find(name);
        var outcome = KernelCheck.Run(GpuTarget.Of(backend).Runner, operation, operation.Shapes[shape], Seed + (ulong)shape);
        Assert.True(outcome.Failure is null, outcome.Failure);
    }

    [Theory]
    [InlineData(GpuBackend.Cuda)]
    [InlineData(GpuBackend.OpenCL)]
    [InlineData(GpuBackend.Emulated)]
    public void Device_is_present(GpuBackend backend)
    {
        Assert.SkipWhen(GpuTarget.Of(backend).Launcher is null, $"Nothing was proven on {backend}: {GpuTarget.Of(backend).Reason}.");
        Assert.NotEmpty(GpuTarget.Of(backend).Runner.Device);
    }
}
