using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using FastLayers.Kernels.Catalog;

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

internal sealed record MeasurementOutput(string Device, string Operation, string Shape, double Seconds, double GigabytesPerSecond, double CopyGigabytesPerSecond, double GigaoperationsPerSecond, double ArithmeticGigaoperationsPerSecond, double? ReadGigabytesPerSecond, double? FourStreamReadGigabytesPerSecond, double? DispatchSeconds, double? ShareOfLimit)
{
    public static MeasurementOutput Of(string device, KernelOperation operation, KernelShape shape, double seconds, DeviceLimits limits)
    {
        double bytes = operation.BytesMoved(shape), operations = operation.OperationCount(shape);
        return new(
            device, operation.Name, shape.ToString(), seconds, bytes / seconds / 1e9, limits.BytesPerSecond / 1e9, operations / seconds / 1e9, limits.RateOf(operation.Arithmetic) / 1e9,
            limits.ReadBytesPerSecond / 1e9, limits.FourStreamReadBytesPerSecond / 1e9, limits.DispatchSeconds, limits.LeastSeconds(bytes, operations, operation.Arithmetic) / seconds);
    }

    public string Line() => string.Create(CultureInfo.InvariantCulture, $"{Device,-12} {Operation,-28} {Shape,-40} {Seconds * 1e6,10:f1} us {GigabytesPerSecond,8:f1} GB/s {GigaoperationsPerSecond,8:f1} of {ArithmeticGigaoperationsPerSecond:f1} Gop/s {(ShareOfLimit is { } share ? string.Create(CultureInfo.InvariantCulture, $"{100 * share,6:f1} %") : "in caches")}");

    /// <summary>A device's limits as one line.</summary>
    public static string LimitsLine(string device, DeviceLimits limits)
    {
        string line = string.Create(CultureInfo.InvariantCulture, $"{device}: copy {limits.BytesPerSecond / 1e9:f1} GB/s, float {limits.OperationsPerSecond / 1e9:f1} Gop/s");
        if (limits.ReadBytesPerSecond is { } read) line += string.Create(CultureInfo.InvariantCulture, $", read {read / 1e9:f1} GB/s");
        if (limits.FourStreamReadBytesPerSecond is { } four) line += string.Create(CultureInfo.InvariantCulture, $", read of four streams {four / 1e9:f1} GB/s");
        if (limits.Int8OperationsPerSecond is { } int8) line += string.Create(CultureInfo.InvariantCulture, $", int8 {int8 / 1e9:f1} Gop/s");
        return limits.DispatchSeconds is { } dispatch ? line + string.Create(CultureInfo.InvariantCulture, $", start and wait {dispatch * 1e6:f2} us") : line;
    }
}

internal sealed record BenchMeasuredOutput(double TokensPerSecond, double LeastTokensPerSecond, double MostTokensPerSecond, double WallSeconds, double CpuSeconds);

internal sealed record BenchCaseOutput(string Kind, int Tokens, int Depth, int Batch, BenchMeasuredOutput Measured, BenchMeasuredOutput? Peer, double? Ratio, double? CpuRatio, int? PeerBlock);

internal sealed record BenchOperationOutput(string Operation, double Calls, double Seconds, double Share);

internal sealed record BenchProfileOutput(string Kind, int Tokens, int Depth, int Batch, double PassSeconds, IReadOnlyList<BenchOperationOutput> Operations, double MatMulAndAttentionShare);

internal sealed record BenchOutput(string Model, string Device, int Threads, string Activations, string? CacheKeys, string? CacheValues, int Seed, int Repetitions, string? Peer, string? PeerDescription, IReadOnlyList<BenchCaseOutput> Cases, IReadOnlyList<BenchProfileOutput> Profiles);

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
