// Runs the matrix products of the kernel catalog whose names contain one of the arguments against their definitions, at every shape but those so
// wide that an emulator would spend its time on encoding weights. Exit code 0 if something ran and nothing failed.
using FastLayers.Kernels;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Simd;

const int MostColumns = 512;
int passed = 0, failed = 0, skipped = 0;
var runner = new CpuKernelRunner(SimdDispatch.Level);
Console.WriteLine($"{runner.Device}; emitted unasked: {FastLayers.Kernels.Emit.EmittedKernels.ReasonForNone ?? "AVX512_VNNI"}");
foreach (var operation in KernelCatalog.Operations.Where(operation => args.Any(part => operation.Name.Contains(part, StringComparison.Ordinal))))
{
    if (runner.ReasonToSkip(operation) is { } reason)
    {
        Console.WriteLine($"skipped {operation.Name}: {reason}");
        skipped++;
        continue;
    }

    double worst = 0;
    foreach (var shape in operation.Shapes.Where(shape => shape["columns"] <= MostColumns))
    {
        var outcome = KernelCheck.Run(runner, operation, shape, 20_260_901);
        worst = Math.Max(worst, outcome.Error);
        if (outcome.Failure is null) passed++;
        else
        {
            Console.WriteLine($"FAILED {outcome.Failure}");
            failed++;
        }
    }

    Console.WriteLine($"{operation.Name}: error {worst:g2}, allowed {operation.Tolerance:g2}");
}

Console.WriteLine($"{passed} passed, {failed} failed, {skipped} skipped");
return failed == 0 && passed > 0 ? 0 : 1;
