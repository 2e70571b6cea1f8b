using ILGPU;

namespace FastLayers.Kernels.Gpu.Elementwise;

/// <summary>A function of one value, and of a number that is the same for all.</summary>
internal interface IElementFunction
{
    /// <summary>The function.</summary>
    float Invoke(float x, float parameter);
}

/// <summary>A function of two values, and of a number that is the same for all.</summary>
internal interface IElementFunction2
{
    /// <summary>The function.</summary>
    float Invoke(float x, float y, float parameter);
}

/// <summary>
/// Functions applied value by value. A thread strides over the values; it takes four at once where all views start at multiples of 16 bytes.
/// The result may be one of the operands.
/// </summary>
internal static class ElementMap
{
    private const int PreferredGroupSize = 256;

    /// <summary>Values a launch at the most, so that positions and strides fit an integer.</summary>
    private const long MaxCount = 1 << 30;

    /// <summary>The kernel of a function of one value.</summary>
    public static GpuKernel<Arguments> Kernel<TFunction>(string name)
        where TFunction : struct, IElementFunction => new(name, Map<TFunction>, "ld.global.v4", "st.global.v4");

    /// <summary>The kernel of a function of two values.</summary>
    public static GpuKernel<Arguments2> Kernel2<TFunction>(string name)
        where TFunction : struct, IElementFunction2 => new(name, Map2<TFunction>, "ld.global.v4", "st.global.v4");

    /// <summary>result[i] = f(x[i]).</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Launch(GpuLauncher launcher, GpuKernel<Arguments> kernel, ArrayView<float> x, ArrayView<float> result, int rows, int columns, float parameter = 0)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireSizes(kernel.Name, rows, columns);
        long count = (long)rows * columns;
        LaunchArguments.Require(kernel.Name, nameof(x), x, count);
        LaunchArguments.Require(kernel.Name, nameof(result), result, count);
        bool aligned = Float4.IsAligned(x) && Float4.IsAligned(result);
        for (long start = 0; start < count; start += MaxCount)
        {
            int length = (int)Math.Min(count - start, MaxCount);
            var arguments = new Arguments { X = x.SubView(start, length), Result = result.SubView(start, length), Count = length, Quads = aligned ? length / Float4.Count : 0, Parameter = parameter };
            Start(launcher, kernel, arguments, length, arguments.Quads);
        }
    }

    /// <summary>result[i] = f(x[i], y[i]).</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Launch(
        GpuLauncher launcher, GpuKernel<Arguments2> kernel, ArrayView<float> x, ArrayView<float> y, ArrayView<float> result, int rows, int columns, float parameter = 0)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireSizes(kernel.Name, rows, columns);
        long count = (long)rows * columns;
        LaunchArguments.Require(kernel.Name, nameof(x), x, count);
        LaunchArguments.Require(kernel.Name, nameof(y), y, count);
        LaunchArguments.Require(kernel.Name, nameof(result), result, count);
        bool aligned = Float4.IsAligned(x) && Float4.IsAligned(y) && Float4.IsAligned(result);
        for (long start = 0; start < count; start += MaxCount)
        {
            int length = (int)Math.Min(count - start, MaxCount);
            var arguments = new Arguments2
            {
                X = x.SubView(start, length),
                Y = y.SubView(start, length),
                Result = result.SubView(start, length),
                Count = length,
                Quads = aligned ? length / Float4.Count : 0,
                Parameter = parameter,
            };
            Start(launcher, kernel, arguments, length, arguments.Quads);
        }
    }

    internal static void Map<TFunction>(Arguments a)
        where TFunction : struct, IElementFunction
    {
        TFunction f = default;
        int thread = (Grid.IdxX * Group.DimX) + Group.IdxX;
        int threads = Grid.DimX * Group.DimX;
        var x = a.X.Cast<Float4>();
        var result = a.Result.Cast<Float4>();
        for (int i = thread; i < a.Quads; i += threads)
        {
            var value = x[i];
            value.X = f.Invoke(value.X, a.Parameter);
            value.Y = f.Invoke(value.Y, a.Parameter);
            value.Z = f.Invoke(value.Z, a.Parameter);
            value.W = f.Invoke(value.W, a.Parameter);
            result[i] = value;
        }

        for (int i = (a.Quads * Float4.Count) + thread; i < a.Count; i += threads) a.Result[i] = f.Invoke(a.X[i], a.Parameter);
    }

    internal static void Map2<TFunction>(Arguments2 a)
        where TFunction : struct, IElementFunction2
    {
        TFunction f = default;
        int thread = (Grid.IdxX * Group.DimX) + Group.IdxX;
        int threads = Grid.DimX * Group.DimX;
        var x = a.X.Cast<Float4>();
        var y = a.Y.Cast<Float4>();
        var result = a.Result.Cast<Float4>();
        for (int i = thread; i < a.Quads; i += threads)
        {
            var value = x[i];
            var other = y[i];
            value.X = f.Invoke(value.X, other.X, a.Parameter);
            value.Y = f.Invoke(value.Y, other.Y, a.Parameter);
            value.Z = f.Invoke(value.Z, other.Z, a.Parameter);
            value.W = f.Invoke(value.W, other.W, a.Parameter);
            result[i] = value;
        }

        for (int i = (a.Quads * Float4.Count) + thread; i < a.Count; i += threads) a.Result[i] = f.Invoke(a.X[i], a.Y[i], a.Parameter);
    }

    private static void Start<TArguments>(GpuLauncher launcher, GpuKernel<TArguments> kernel, TArguments arguments, int length, int quads)
        where TArguments : struct
    {
        int size = launcher.GroupSize(PreferredGroupSize);
        launcher.Launch(kernel, new Index3D(GridSize.ForThreads(launcher, Math.Max(quads, length - (quads * Float4.Count)), size), 1, 1), size, arguments);
    }

    internal struct Arguments
    {
        public ArrayView<float> X;
        public ArrayView<float> Result;
        public int Count;
        public int Quads;
        public float Parameter;
    }

    internal struct Arguments2
    {
        public ArrayView<float> X;
        public ArrayView<float> Y;
        public ArrayView<float> Result;
        public int Count;
        public int Quads;
        public float Parameter;
    }
}
