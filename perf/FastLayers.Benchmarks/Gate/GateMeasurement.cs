using FastLayers.Benchmarks.Suites;
using FastLayers.Kernels;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.MatMul;
using FastLayers.Kernels.Simd;

namespace FastLayers.Benchmarks.Gate;

/// <summary>Measures the operations of the gate on one thread, each as a share of the limits of the same run.</summary>
internal static class GateMeasurement
{
    private const ulong Seed = 1;
    private static readonly TimeSpan s_budget = TimeSpan.FromMilliseconds(100);

    /// <summary>From memory: the weights of a token.</summary>
    private static readonly Format[] s_gemv = [Format.Q4_0, Format.Q4_K, Format.Q8_0, Format.F16, Format.Q2_K];

    /// <summary>In caches, at the last measured shape, which is the largest.</summary>
    private static readonly string[] s_catalog =
    [
        "MatMul.Interleaved.q4_0", "MatMul.Interleaved.q4_k", "MatMul.Interleaved.q8_0", "MatMul.Interleaved.f16",
        "MatMul.Int8.q4_0", "MatMul.Float.f32", "RmsNorm.Weighted", "Softmax", "RotaryEmbedding.Halves", "QuantizeActivations",
    ];

    /// <summary>Every operation so often as there are runs; the limits are measured anew in each run.</summary>
    public static SortedDictionary<string, GateShare> Run(int runs, IProgress<double>? progress, CancellationToken cancellation)
    {
        var runner = new CpuKernelRunner(SimdDispatch.Level);
        var operations = s_catalog.Select(name => KernelCatalog.Operations.FirstOrDefault(operation => operation.Name == name)).OfType<KernelOperation>().ToArray();
        var formats = s_gemv.Where(format => InterleavedLayout.For(format) is not null).ToArray();
        var shares = new Dictionary<string, List<double>>();
        double steps = runs * (operations.Length + formats.Length);
        int done = 0;
        void Add(string name, double share)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!shares.TryGetValue(name, out var list)) shares[name] = list = [];
            list.Add(share);
            progress?.Report(++done / steps);
        }

        for (int run = 0; run < runs; run++)
        {
            var limits = runner.MeasureLimits();
            foreach (var format in formats)
            {
                using var weights = new RotatedWeights(format, threads: 1);
                double seconds = KernelTimer.Measure(
                    count =>
                    {
                        for (int i = 0; i < count; i++) weights.Run();
                    },
                    s_budget);
                Add($"Gemv.{format.Name}", RotatedWeights.Bytes(format) / limits.FourStreamReadBytesPerSecond!.Value / seconds);
            }

            foreach (var operation in operations)
            {
                var shape = operation.MeasuredShapes[^1];
                double seconds = runner.Measure(operation, operation.Prepare(shape, Seed), s_budget);
                Add($"{operation.Name} {shape}", limits.LeastSeconds(operation.BytesMoved(shape), operation.OperationCount(shape), operation.Arithmetic) / seconds);
            }
        }

        return new(shares.ToDictionary(pair => pair.Key, pair => GateShare.Of(pair.Value)), StringComparer.Ordinal);
    }
}
