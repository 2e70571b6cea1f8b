using FastLayers.Kernels.Catalog;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Catalog;

/// <summary>Measures what a device can do at most: a copy of memory, and multiplications and additions in registers.</summary>
internal static class LimitKernels
{
    /// <summary>Bytes of the copy: more than the caches of today's devices hold.</summary>
    private const long CopyBytes = 256L << 20;

    private const int Rounds = 1024;
    private const int Chains = 8;
    private const int GroupsPerMultiprocessor = 16;
    private static readonly TimeSpan s_budget = TimeSpan.FromMilliseconds(300);

    public static GpuKernel<Arguments> Kernel { get; } = new("MultiplyAddRate", MultiplyAdd);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    /// <summary>Measures both limits.</summary>
    public static DeviceLimits Measure(GpuLauncher launcher)
    {
        var accelerator = launcher.Accelerator;
        using var source = launcher.Allocate(CopyBytes);
        using var target = launcher.Allocate(CopyBytes);
        double copy = KernelTimer.Measure(
            count =>
            {
                for (int i = 0; i < count; i++) launcher.Copy(source.View.BaseView, target.View.BaseView);
                launcher.Synchronize();
            },
            s_budget);

        int groups = accelerator.NumMultiprocessors * GroupsPerMultiprocessor;
        int size = launcher.GroupSize(GpuLauncher.MaxGroupSize);
        var results = target.View.BaseView.SubView(0, (long)groups * size * sizeof(float)).Cast<float>();
        double arithmetic = KernelTimer.Measure(
            count =>
            {
                for (int i = 0; i < count; i++) launcher.Launch(Kernel, new Index3D(groups, 1, 1), size, new Arguments { Results = results, Factor = 0.999f, Summand = 0.001f });
                launcher.Synchronize();
            },
            s_budget);
        return new DeviceLimits(2 * CopyBytes / copy, 2.0 * Chains * Rounds * groups * size / arithmetic);
    }

    /// <summary>Eight independent chains, so that the latency of one does not count.</summary>
    internal static void MultiplyAdd(Arguments a)
    {
        int index = (Grid.IdxX * Group.DimX) + Group.IdxX;
        float c0 = index, c1 = index + 1, c2 = index + 2, c3 = index + 3, c4 = index + 4, c5 = index + 5, c6 = index + 6, c7 = index + 7;
        for (int i = 0; i < Rounds; i++)
        {
            c0 = (c0 * a.Factor) + a.Summand;
            c1 = (c1 * a.Factor) + a.Summand;
            c2 = (c2 * a.Factor) + a.Summand;
            c3 = (c3 * a.Factor) + a.Summand;
            c4 = (c4 * a.Factor) + a.Summand;
            c5 = (c5 * a.Factor) + a.Summand;
            c6 = (c6 * a.Factor) + a.Summand;
            c7 = (c7 * a.Factor) + a.Summand;
        }

        a.Results[index] = c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7;
    }

    internal struct Arguments
    {
        public ArrayView<float> Results;
        public float Factor;
        public float Summand;
    }
}
