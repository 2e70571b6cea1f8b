using System.Runtime.InteropServices;

namespace FastLayers.Peers.LlamaCpp;

/// <summary><c>llama_model_params</c> of llama.cpp v0.5.0; what is not set here is taken from the library's defaults.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ModelParameters
{
    public nint Devices;
    public nint BufferTypeOverrides;
    public int GpuLayers;
    public int SplitMode;
    public int LoadMode;
    public int LazyMode;
    public int MainGpu;
    public nint TensorSplit;
    public nint ProgressCallback;
    public nint ProgressState;
    public nint MetadataOverrides;
    public byte VocabularyOnly;
    public byte CheckTensors;
    public byte UseExtraBufferTypes;
    public byte NoHost;
    public byte NoAllocation;
    public byte LoadMultiTokenPrediction;
}

/// <summary><c>llama_context_params</c> of llama.cpp v0.5.0.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ContextParameters
{
    public uint ContextLength;
    public uint BatchLength;
    public uint MicroBatchLength;
    public uint SequenceCount;
    public uint RecurrentStates;
    public uint MaximumOutputs;
    public uint MaximumOutputsPerSequence;
    public int Threads;
    public int BatchThreads;
    public int ContextType;
    public int RotaryScaling;
    public int Pooling;
    public int Attention;
    public int FlashAttention;
    public float RotaryBase;
    public float RotaryScale;
    public float YarnExtrapolation;
    public float YarnAttention;
    public float YarnBetaFast;
    public float YarnBetaSlow;
    public uint YarnOriginalContext;
    public float DefragmentationThreshold;
    public nint EvaluationCallback;
    public nint EvaluationState;
    public int KeyType;
    public int ValueType;
    public nint AbortCallback;
    public nint AbortState;
    public byte Embeddings;
    public byte OffloadAttention;
    public byte NoTimings;
    public byte OffloadOperations;
    public byte FullWindowCache;
    public byte UnifiedCache;
    public nint Samplers;
    public nint SamplerCount;
    public nint OtherContext;
}

/// <summary><c>llama_batch</c>: one array entry a token.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Batch
{
    public int Count;
    public int* Tokens;
    public float* Embeddings;
    public int* Positions;
    public int* SequenceCounts;
    public int** Sequences;
    public byte* Outputs;
}

/// <summary><c>ggml_threadpool_params</c>: the mask of processors, all unset, and how workers wait.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ThreadPoolParameters
{
    public fixed byte Processors[512];
    public int Threads;
    public int Priority;
    public uint Poll;
    public byte StrictPlacement;
    public byte Paused;
}
