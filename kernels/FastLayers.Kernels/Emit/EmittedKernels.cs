using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Emit;

/// <summary>A product of interleaved tiles in machine code.</summary>
/// <param name="Isa">The instructions that it uses.</param>
/// <param name="Address">Where it begins.</param>
internal sealed record EmittedKernel(EmittedIsa Isa, nint Address)
{
    /// <summary>Tiles that it multiplies at once.</summary>
    public int Tiles { get; } = InterleavedGenerator.Tiles(Isa);

    /// <summary>Runs it.</summary>
    public unsafe void Run(EmittedCall* call) => ((delegate* unmanaged<EmittedCall*, void>)Address)(call);
}

/// <summary>The emitted kernels of this process: made when first asked for, and kept.</summary>
public static class EmittedKernels
{
    /// <summary>
    /// Environment variable: 0 emits nothing, 1 emits whatever the processor runs, even if it is not known to be faster. Unset, kernels are
    /// emitted for AVX512_VNNI only.
    /// </summary>
    public const string Variable = "FASTLAYERS_EMIT";

    private static readonly KernelCode s_automatic = Choose(Environment.GetEnvironmentVariable(Variable));
    private static readonly EmittedIsa[] s_isas = Enum.GetValues<EmittedIsa>();
    private static readonly Dictionary<Format, Lazy<EmittedKernel?>[]> s_kernels = InterleavedStorage.All.ToDictionary(
        storage => storage.Format,
        storage => s_isas.Select(isa => new Lazy<EmittedKernel?>(() => Make(storage, isa))).ToArray());

    /// <summary>Why nothing is emitted on this machine unless asked for, or null if something is.</summary>
    public static string? ReasonForNone => ReasonAgainst(EmittedIsa.Avx512Vnni);

    /// <summary>Why kernels are not emitted for an instruction set, or null if they are.</summary>
    internal static string? ReasonAgainst(EmittedIsa isa) =>
        s_automatic == KernelCode.Compiled ? $"Emitted code is switched off by {Variable}=0."
        : !EmittedIsas.IsSupported(isa) ? $"This processor, or the system for it, has no {EmittedIsas.Name(isa)}."
        : s_kernels[Format.Q4_0][(int)isa].Value is null ? "The system refuses executable memory."
        : null;

    /// <summary>The kernel for a format, or null if it shall be, or must be, the one that .NET compiles.</summary>
    internal static EmittedKernel? For(Format format, KernelCode code)
    {
        var allowed = code == KernelCode.Automatic ? s_automatic : code;
        if (allowed == KernelCode.Compiled) return null;
        for (var isa = EmittedIsa.Avx512Vnni; isa >= (allowed == KernelCode.Emitted ? EmittedIsa.Avx2 : EmittedIsa.Avx512Vnni); isa--)
        {
            if (For(format, isa) is { } kernel) return kernel;
        }

        return null;
    }

    /// <summary>The kernel for a format with given instructions, or null if it cannot run.</summary>
    internal static EmittedKernel? For(Format format, EmittedIsa isa) =>
        s_automatic != KernelCode.Compiled && EmittedIsas.IsSupported(isa) && s_kernels.TryGetValue(format, out var kernels) ? kernels[(int)isa].Value : null;

    /// <summary>What a value of <see cref="Variable"/> makes of <see cref="KernelCode.Automatic"/>.</summary>
    /// <exception cref="InvalidOperationException">The value is not 0 or 1.</exception>
    internal static KernelCode Choose(string? value) => value switch
    {
        null or "" => KernelCode.Automatic,
        "0" => KernelCode.Compiled,
        "1" => KernelCode.Emitted,
        _ => throw new InvalidOperationException($"Environment variable {Variable} should be 0 or 1, found '{value}'."),
    };

    private static EmittedKernel? Make(InterleavedStorage storage, EmittedIsa isa)
    {
        var code = InterleavedGenerator.Generate(storage, isa, OperatingSystem.IsWindows());
        nint memory = ExecutableMemory.Place(code.Bytes);
        return memory == 0 ? null : new(isa, memory + code.Entry);
    }
}
