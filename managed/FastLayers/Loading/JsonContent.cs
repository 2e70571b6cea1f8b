using System.Text.Json;
using System.Text.Unicode;

namespace FastLayers.Loading;

/// <summary>Reads JSON of model files: UTF-8 checked, no key twice, every failure a refusal that names the file.</summary>
internal static class JsonContent
{
    /// <summary>The longest JSON file or header accepted: the limit that the safetensors format sets for its header.</summary>
    public const int LongestBytes = 100_000_000;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    /// <summary>Reads a whole JSON file whose top is an object.</summary>
    public static T Read<T>(string path, Func<JsonElement, T> use)
    {
        using var handle = File.OpenHandle(path);
        var length = RandomAccess.GetLength(handle);
        if (length is 0 or > LongestBytes) throw Refusal.Of(path, "length", $"JSON of 1 to {LongestBytes} bytes", $"{length} bytes");
        var bytes = new byte[length];
        var filled = 0;
        while (filled < bytes.Length && RandomAccess.Read(handle, bytes.AsSpan(filled), filled) is var read and > 0) filled += read;
        return Parse(path, "content", bytes.AsMemory(0, filled), use);
    }

    /// <summary>Parses JSON whose top is an object and hands it to <paramref name="use"/>.</summary>
    public static T Parse<T>(string file, string place, ReadOnlyMemory<byte> utf8, Func<JsonElement, T> use)
    {
        if (!Utf8.IsValid(utf8.Span)) throw Refusal.Of(file, place, "JSON in UTF-8", "invalid UTF-8");
        try
        {
            using var document = JsonDocument.Parse(utf8, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw Refusal.Of(file, place, "a JSON object", $"a JSON {document.RootElement.ValueKind}");
            return use(document.RootElement);
        }
        catch (JsonException error)
        {
            throw Refusal.Of(file, place, "JSON with each key once", Refusal.Clip(error.Message.TrimEnd('.')));
        }
        catch (InvalidOperationException error) // a text with half of a surrogate pair
        {
            throw Refusal.Of(file, place, "JSON of valid Unicode", Refusal.Clip(error.Message.TrimEnd('.')));
        }
    }
}
