using System.Reflection;

namespace FastLayers.Kernels.Gpu;

/// <summary>
/// A kernel method with what is known about it: compiled by a <see cref="GpuLauncher"/> when it is first launched, and read as PTX and OpenCL
/// text by the checks of the library.
/// </summary>
public abstract class GpuKernel
{
    private protected GpuKernel(string name, MethodInfo method, string[] expectedInstructions)
    {
        Name = name;
        Method = method;
        ExpectedInstructions = expectedInstructions;
    }

    /// <summary>The unique name: the operation, and the specialization after a dot.</summary>
    public string Name { get; }

    /// <summary>The method; it takes one structure of views and numbers, and is launched in groups of threads.</summary>
    public MethodInfo Method { get; }

    /// <summary>Instructions that the PTX text must have for the kernel to be as fast as meant.</summary>
    public IReadOnlyList<string> ExpectedInstructions { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>A kernel with the type of its arguments.</summary>
/// <typeparam name="TArguments">A structure of array views, integers and floats.</typeparam>
public sealed class GpuKernel<TArguments> : GpuKernel
    where TArguments : struct
{
    /// <summary>Describes a kernel.</summary>
    /// <param name="name">The unique name.</param>
    /// <param name="method">A static method, closed over its specialization.</param>
    /// <param name="expectedInstructions">Instructions that the PTX text must have.</param>
    public GpuKernel(string name, Action<TArguments> method, params string[] expectedInstructions)
        : base(name, (method ?? throw new ArgumentNullException(nameof(method))).Method, expectedInstructions) =>
        Action = method;

    internal Action<TArguments> Action { get; }
}
