namespace FastLayers.Kernels.Gpu.Tests.Text;

/// <summary>Every kernel in every specialization, as the text that an OpenCL driver would get. Apart from the PTX, so that both run at once.</summary>
public sealed class OpenCLTextTests
{
    private const string NoCompiler = "There is no clang to check OpenCL text with: 'tools/opencl/prepare --clang' gets one.";

    [Fact]
    public void Kernels_pass_the_compiler_check()
    {
        Assert.SkipWhen(ClangChecker.Find() is null, NoCompiler);
        Assert.Empty(ClangChecker.Find()!.Check(GpuCatalog.Kernels.Select(kernel => (kernel.Name, (Func<string>)(() => KernelText.OpenCL(kernel))))));
    }

    [Fact]
    public void The_compiler_check_finds_what_is_wrong()
    {
        Assert.SkipWhen(ClangChecker.Find() is null, NoCompiler);
        string complaint = Assert.Single(ClangChecker.Find()!.Check(
        [
            ("right", () => "kernel void f(global int* x) { x[0] = 1; }"),
            ("wrong", () => "kernel void f(global int* x) { x[0] = y; }"),
        ]));
        Assert.StartsWith("wrong: ", complaint, StringComparison.Ordinal);
    }
}
