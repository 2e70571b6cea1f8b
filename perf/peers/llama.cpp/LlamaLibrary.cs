using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastLayers.Peers.LlamaCpp;

/// <summary>The functions of llama.cpp that a benchmark needs, in the prebuilt libraries of a folder.</summary>
internal static unsafe partial class LlamaLibrary
{
    /// <summary>The release whose structures <c>LlamaParameters.cs</c> describes.</summary>
    public const string Version = "v0.5.0";

    private const string Llama = "llama";
    private const string Ggml = "ggml";
    private const string GgmlBase = "ggml-base";
    private const string GgmlCpu = "ggml-cpu";
    private const int LogLevelError = 4;

    private static string s_processorLibrary = "";

    /// <summary>The variant of the processor's kernels that the library chose for this machine, such as <c>haswell</c>.</summary>
    public static string ProcessorVariant => Path.GetFileNameWithoutExtension(s_processorLibrary)["libggml-cpu-".Length..];

    /// <summary>Loads the libraries and, with them, the best variant of the processor's kernels.</summary>
    /// <exception cref="DllNotFoundException">The folder has no such libraries.</exception>
    /// <exception cref="InvalidDataException">The libraries are of another release.</exception>
    public static void Open(string folder)
    {
        NativeLibrary.SetDllImportResolver(typeof(LlamaLibrary).Assembly, (name, _, _) => NativeLibrary.Load(name switch
        {
            Llama => Path.Combine(folder, $"libllama.{Version}.so"),
            Ggml => Path.Combine(folder, $"libggml.{Version}.so"),
            GgmlBase => Path.Combine(folder, "libggml-base.so"),
            _ => s_processorLibrary,
        }));
        SetLog(&Log, 0);
        LoadBackends(folder);
        s_processorLibrary = LoadedLibraries().FirstOrDefault(path => Path.GetFileName(path).StartsWith("libggml-cpu-", StringComparison.Ordinal))
            ?? throw new DllNotFoundException($"{folder} has no kernels for this processor.");
        InitializeBackend();

        var context = DefaultContext();
        var model = DefaultModel();
        bool isKnown = context is { ContextLength: 512, BatchLength: 2048, MicroBatchLength: 512, SequenceCount: 1, MaximumOutputsPerSequence: 1, FlashAttention: -1, KeyType: 1, ValueType: 1, OffloadAttention: 1, NoTimings: 1, FullWindowCache: 1, UnifiedCache: 0, OtherContext: 0 }
            && model is { GpuLayers: -1, LoadMode: -1, LazyMode: 1, MetadataOverrides: 0, VocabularyOnly: 0, UseExtraBufferTypes: 1, NoAllocation: 0 };
        if (!isKnown) throw new InvalidDataException($"The libraries in {folder} have other structures than llama.cpp {Version}.");
    }

    /// <summary>What the library says about the instructions that it uses.</summary>
    public static string SystemInfo => Marshal.PtrToStringUTF8(PrintSystemInfo())!.Trim();

    [LibraryImport(Llama, EntryPoint = "llama_model_default_params")]
    public static partial ModelParameters DefaultModel();

    [LibraryImport(Llama, EntryPoint = "llama_model_load_from_file", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint LoadModel(string path, ModelParameters parameters);

    [LibraryImport(Llama, EntryPoint = "llama_model_free")]
    public static partial void FreeModel(nint model);

    [LibraryImport(Llama, EntryPoint = "llama_model_get_vocab")]
    public static partial nint Vocabulary(nint model);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_n_tokens")]
    public static partial int VocabularySize(nint vocabulary);

    [LibraryImport(Llama, EntryPoint = "llama_context_default_params")]
    public static partial ContextParameters DefaultContext();

    [LibraryImport(Llama, EntryPoint = "llama_init_from_model")]
    public static partial nint CreateContext(nint model, ContextParameters parameters);

    [LibraryImport(Llama, EntryPoint = "llama_free")]
    public static partial void FreeContext(nint context);

    [LibraryImport(Llama, EntryPoint = "llama_get_memory")]
    public static partial nint Memory(nint context);

    [LibraryImport(Llama, EntryPoint = "llama_memory_seq_rm")]
    public static partial byte RemoveTokens(nint memory, int sequence, int from, int to);

    [LibraryImport(Llama, EntryPoint = "llama_batch_init")]
    public static partial Batch CreateBatch(int tokens, int embeddingWidth, int sequences);

    [LibraryImport(Llama, EntryPoint = "llama_batch_free")]
    public static partial void FreeBatch(Batch batch);

    [LibraryImport(Llama, EntryPoint = "llama_decode")]
    public static partial int Decode(nint context, Batch batch);

    [LibraryImport(Llama, EntryPoint = "llama_synchronize")]
    public static partial void Synchronize(nint context);

    [LibraryImport(Llama, EntryPoint = "llama_attach_threadpool")]
    public static partial void AttachThreadPool(nint context, nint pool, nint batchPool);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_threadpool_params_init")]
    public static partial void InitializeThreadPool(ref ThreadPoolParameters parameters, int threads);

    [LibraryImport(GgmlCpu, EntryPoint = "ggml_threadpool_new")]
    public static partial nint CreateThreadPool(ref ThreadPoolParameters parameters);

    [LibraryImport(GgmlCpu, EntryPoint = "ggml_threadpool_free")]
    public static partial void FreeThreadPool(nint pool);

    [LibraryImport(GgmlCpu, EntryPoint = "ggml_threadpool_pause")]
    public static partial void PauseThreadPool(nint pool);

    [LibraryImport(Llama, EntryPoint = "llama_backend_init")]
    private static partial void InitializeBackend();

    [LibraryImport(Llama, EntryPoint = "llama_print_system_info")]
    private static partial nint PrintSystemInfo();

    [LibraryImport(Llama, EntryPoint = "llama_log_set")]
    private static partial void SetLog(delegate* unmanaged[Cdecl]<int, nint, nint, void> callback, nint state);

    [LibraryImport(Ggml, EntryPoint = "ggml_backend_load_all_from_path", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void LoadBackends(string folder);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Log(int level, nint text, nint state)
    {
        if (level == LogLevelError) Console.Error.Write(Marshal.PtrToStringUTF8(text));
    }

    private static IEnumerable<string> LoadedLibraries() =>
        File.ReadLines("/proc/self/maps").Select(line => line.IndexOf('/', StringComparison.Ordinal) is var start and >= 0 ? line[start..] : "");
}
