using System.Globalization;
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

internal sealed record ValidationOutput(string Device, string Operation, string Shape, double? Error, double Bound, string Verdict, string? Reason)
{
    public string Line() => string.Create(CultureInfo.InvariantCulture, $"{Verdict,-4} {Device,-12} {Operation,-28} {Shape,-40} error {Error,-9:g3} bound {Bound:g3}{(Reason is null ? "" : "  " + Reason)}");
}

internal sealed record ValidateOutput(ulong Seed, int Passed, int Failed, int Skipped, IReadOnlyList<ValidationOutput> Cases);

internal sealed record MeasurementOutput(string Device, string Operation, string Shape, double Seconds, double GigabytesPerSecond, double CopyGigabytesPerSecond, double GigaoperationsPerSecond, double ArithmeticGigaoperationsPerSecond)
{
    public string Line() => string.Create(CultureInfo.InvariantCulture, $"{Device,-12} {Operation,-28} {Shape,-40} {Seconds * 1e6,10:f1} us {GigabytesPerSecond,8:f1} of {CopyGigabytesPerSecond:f1} GB/s {GigaoperationsPerSecond,8:f1} of {ArithmeticGigaoperationsPerSecond:f1} Gop/s");
}

internal sealed record BenchMeasuredOutput(double TokensPerSecond, double LeastTokensPerSecond, double MostTokensPerSecond, double WallSeconds, double CpuSeconds);

internal sealed record BenchCaseOutput(string Kind, int Tokens, int Depth, int Batch, BenchMeasuredOutput Measured, BenchMeasuredOutput? Peer, double? Ratio, double? CpuRatio);

internal sealed record BenchOperationOutput(string Operation, double Calls, double Seconds, double Share);

internal sealed record BenchProfileOutput(string Kind, int Tokens, int Depth, int Batch, double PassSeconds, IReadOnlyList<BenchOperationOutput> Operations, double MatMulAndAttentionShare);

internal sealed record BenchOutput(string Model, string Device, int Threads, string Activations, string CacheKeys, string CacheValues, int Seed, int Repetitions, string? Peer, string? PeerDescription, IReadOnlyList<BenchCaseOutput> Cases, IReadOnlyList<BenchProfileOutput> Profiles);

/// <summary>Writes results as JSON with camel-case names.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunResult))]
[JsonSerializable(typeof(PerplexityOutput))]
[JsonSerializable(typeof(TokenizeOutput))]
[JsonSerializable(typeof(IReadOnlyList<DeviceOutput>))]
[JsonSerializable(typeof(InfoOutput))]
[JsonSerializable(typeof(SynthOutput))]
[JsonSerializable(typeof(ValidateOutput))]
[JsonSerializable(typeof(IReadOnlyList<MeasurementOutput>))]
[JsonSerializable(typeof(BenchOutput))]
internal sealed partial class JsonOutput : JsonSerializerContext
{
    public static void Write<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, typeof(T), Default));
}
