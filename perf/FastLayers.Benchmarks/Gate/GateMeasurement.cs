using FastLayers.Cli.Bench;
using FastLayers.Kernels;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.MatMul;
using FastLayers.Kernels.Simd;

namespace FastLayers.Benchmarks.Gate;

/// <summary>
/// Measures the operations of the gate on one thread, each in turns with a limit: products from memory with reading by four streams, all else,
/// which stays in caches, with multiplying and adding in registers.
/// </summary>
internal static class GateMeasurement
{
    private const ulong Seed = 1;
    private const int GemmRows = 128;

    /// <summary>From memory: the weights of a token.</summary>
    private static readonly Format[] s_gemv = [Format.Q4_0, Format.Q4_K, Format.Q8_0, Format.F16, Format.Q2_K];

    /// <summary>A prompt's rows, with the rounding of activations.</summary>
    private static readonly Format[] s_gemm = [Format.Q4_0, Format.Q4_K, Format.Q8_0, Format.F32, Format.F16];

    /// <summary>At the last measured shape, which is the largest.</summary>
    private static readonly string[] s_catalog = ["MatMul.Int8.q4_0", "RmsNorm.Weighted", "Softmax", "RotaryEmbedding.Halves", "QuantizeActivations"];

    /// <summary>Every operation so often as there are runs.</summary>
    public static SortedDictionary<string, GateShare> Run(int runs, IProgress<double>? progress, CancellationToken cancellation)
    {
        using var limits = new CpuLimits(SimdDispatch.Level, threads: 1);
        var shares = new Dictionary<string, List<double>>();
        double steps = runs * (s_gemv.Length + s_gemm.Length + s_catalog.Length);
        int done = 0;
        void Add(string name, double amount, CpuLimit limit, Action work)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!shares.TryGetValue(name, out var list)) shares[name] = list = [];
            double limitAmount = limit == CpuLimit.ReadFourStreams ? limits.Bytes(limit) : limits.Operations(limit);
            list.Add(PairedShare.Measure(() => limits.Run(limit), limitAmount, work, amount));
            progress?.Report(++done / steps);
        }

        for (int run = 0; run < runs; run++)
        {
            foreach (var format in s_gemv)
            {
                using var products = new MatMulProducts(MatMulProducts.Weights(format), format, rows: 1, MatMulProducts.MatrixCount(format), threads: 1);
                Add($"Gemv.{format.Name}", products.Bytes, CpuLimit.ReadFourStreams, products.Run);
            }

            foreach (var format in s_gemm)
            {
                using var products = new MatMulProducts(MatMulProducts.Weights(format), format, GemmRows, matrices: 1, threads: 1);
                Add($"Gemm.{format.Name} rows={GemmRows}", products.Operations, LimitOf(MatMulSimdInt8.Supports(format) ? KernelArithmetic.Int8 : KernelArithmetic.Float), products.Run);
            }

            foreach (string name in s_catalog)
            {
                var operation = KernelCatalog.Find(name);
                var shape = operation.MeasuredShapes[^1];
                var arguments = operation.Prepare(shape, Seed);
                Add($"{name} {shape}", operation.OperationCount(shape), LimitOf(operation.Arithmetic), () => operation.Simd(SimdDispatch.Level, arguments));
            }
        }

        return new(shares.ToDictionary(pair => pair.Key, pair => GateShare.Of(pair.Value)), StringComparer.Ordinal);
    }

    private static CpuLimit LimitOf(KernelArithmetic arithmetic) => arithmetic == KernelArithmetic.Int8 ? CpuLimit.Int8MultiplyAdd : CpuLimit.FloatMultiplyAdd;
}
