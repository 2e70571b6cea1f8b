using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Elementwise;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Activation;

/// <summary>The elementwise nonlinearities, plain and gated, and soft capping: see <see cref="Activations"/> and <see cref="Softcap"/>.</summary>
internal static class ActivationKernels
{
    private static readonly Dictionary<ActivationKind, GpuKernel<ElementMap.Arguments>> s_plain = new()
    {
        [ActivationKind.Silu] = Plain<SiluOf>(ActivationKind.Silu),
        [ActivationKind.GeluErf] = Plain<GeluErfOf>(ActivationKind.GeluErf),
        [ActivationKind.GeluTanh] = Plain<GeluTanhOf>(ActivationKind.GeluTanh),
        [ActivationKind.Relu] = Plain<ReluOf>(ActivationKind.Relu),
        [ActivationKind.ReluSquared] = Plain<ReluSquaredOf>(ActivationKind.ReluSquared),
        [ActivationKind.Tanh] = Plain<TanhOf>(ActivationKind.Tanh),
    };

    private static readonly Dictionary<ActivationKind, GpuKernel<ElementMap.Arguments2>> s_gated = new()
    {
        [ActivationKind.Silu] = Gated<SiluOf>(ActivationKind.Silu),
        [ActivationKind.GeluErf] = Gated<GeluErfOf>(ActivationKind.GeluErf),
        [ActivationKind.GeluTanh] = Gated<GeluTanhOf>(ActivationKind.GeluTanh),
        [ActivationKind.Relu] = Gated<ReluOf>(ActivationKind.Relu),
        [ActivationKind.ReluSquared] = Gated<ReluSquaredOf>(ActivationKind.ReluSquared),
        [ActivationKind.Tanh] = Gated<TanhOf>(ActivationKind.Tanh),
    };

    private static readonly GpuKernel<ElementMap.Arguments> s_softcap = ElementMap.Kernel<SoftcapOf>("Softcap");

    public static IReadOnlyList<GpuKernel> All { get; } = [.. s_plain.Values, .. s_gated.Values, s_softcap];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        .. s_plain.Select(entry => new GpuOperation(entry.Value.Name, (launcher, b) => Launch(
            launcher, entry.Key, b.Floats("x"), b.Floats("y"), b.Shape["rows"], b.Shape["columns"]))),
        .. s_gated.Select(entry => new GpuOperation(entry.Value.Name, (launcher, b) => LaunchGated(
            launcher, entry.Key, b.Floats("gate"), b.Floats("up"), b.Floats("y"), b.Shape["rows"], b.Shape["columns"]))),
        new("Softcap", (launcher, b) => LaunchSoftcap(launcher, b.Floats("x"), SoftcapCase.Cap, b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
    ];

    /// <summary>y[i] = act(x[i]); in place if <paramref name="y"/> is <paramref name="x"/>.</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The activation is not defined.</exception>
    public static void Launch(GpuLauncher launcher, ActivationKind kind, ArrayView<float> x, ArrayView<float> y, int rows, int columns) =>
        ElementMap.Launch(launcher, Find(s_plain, kind), x, y, rows, columns);

    /// <summary>y[i] = act(gate[i]) · up[i]; y may be one of the operands.</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The activation is not defined.</exception>
    public static void LaunchGated(
        GpuLauncher launcher, ActivationKind kind, ArrayView<float> gate, ArrayView<float> up, ArrayView<float> y, int rows, int columns) =>
        ElementMap.Launch(launcher, Find(s_gated, kind), gate, up, y, rows, columns);

    /// <summary>y[i] = cap · tanh(x[i] / cap); in place if <paramref name="y"/> is <paramref name="x"/>.</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void LaunchSoftcap(GpuLauncher launcher, ArrayView<float> x, float cap, ArrayView<float> y, int rows, int columns) =>
        ElementMap.Launch(launcher, s_softcap, x, y, rows, columns, cap);

    private static GpuKernel<ElementMap.Arguments> Plain<TActivation>(ActivationKind kind)
        where TActivation : struct, IElementFunction => ElementMap.Kernel<TActivation>($"Activations.{kind}");

    private static GpuKernel<ElementMap.Arguments2> Gated<TActivation>(ActivationKind kind)
        where TActivation : struct, IElementFunction => ElementMap.Kernel2<Gated<TActivation>>($"Activations.Gated{kind}");

    private static TKernel Find<TKernel>(Dictionary<ActivationKind, TKernel> kernels, ActivationKind kind) => kernels.TryGetValue(kind, out var kernel)
        ? kernel
        : throw new ArgumentOutOfRangeException(nameof(kind), kind, "Expected a defined activation.");
}
