using System.Text.Json;
using System.Text.Json.Serialization;

namespace FastLayers.Cli;

internal sealed record RunResult(string Text, IReadOnlyList<int> Ids, int PromptTokens, int GeneratedTokens, double PrefillTokensPerSecond, double DecodeTokensPerSecond, double TimeToFirstTokenSeconds, double LoadSeconds, long PeakMemoryBytes, string FinishReason, string Model, string Device);

internal sealed record PerplexityOutput(double Nll, double Perplexity, double StandardError, long Tokens, int Context, int Stride);

internal sealed record TokenizeOutput(IReadOnlyList<int> Ids, IReadOnlyList<string> Tokens);

internal sealed record DeviceOutput(string Name, string Description, long MemoryBytes, bool Available, string? Reason);

internal sealed record TensorOutput(string Name, IReadOnlyList<long> Shape, string Format, long Bytes);

internal sealed record LayerOutput(int Layer, long Bytes, IReadOnlyDictionary<string, int> Formats);

internal sealed record InfoOutput(string Path, string Architecture, string? Name, int VocabularySize, int Width, int Layers, int ContextLength, int Heads, int KeyValueHeads, int HeadSize, int FeedForwardWidth, int Experts, int ExpertsUsed, bool Encoder, string? Tokenizer, long Parameters, long Bytes, double BitsPerWeight, IReadOnlyDictionary<string, long> BytesByFormat, IReadOnlyList<LayerOutput> BytesPerLayer, IReadOnlyList<TensorOutput> Tensors);

internal sealed record SynthOutput(string Path, long Bytes, string Architecture, string Format, ulong Seed);

/// <summary>Writes results as JSON with camel-case names.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunResult))]
[JsonSerializable(typeof(PerplexityOutput))]
[JsonSerializable(typeof(TokenizeOutput))]
[JsonSerializable(typeof(IReadOnlyList<DeviceOutput>))]
[JsonSerializable(typeof(InfoOutput))]
[JsonSerializable(typeof(SynthOutput))]
internal sealed partial class JsonOutput : JsonSerializerContext
{
    public static void Write<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, typeof(T), Default));
}
