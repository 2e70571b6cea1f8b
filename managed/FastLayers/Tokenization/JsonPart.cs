using System.Text.Json;
using System.Text.Unicode;

namespace FastLayers.Tokenization;

/// <summary>A value inside a JSON file. Its getters throw <see cref="InvalidDataException"/> naming the file, the place and what was found.</summary>
internal readonly struct JsonPart
{
    /// <summary>The largest file that is read; the largest known is below a tenth of it.</summary>
    private const long MaximumBytes = 1L << 28;

    private readonly JsonElement _element;
    private readonly string _file;
    private readonly string _place;

    private JsonPart(JsonElement element, string file, string place)
    {
        _element = element;
        _file = file;
        _place = place;
    }

    /// <summary>The file.</summary>
    public string Source => _file;

    public bool IsList => _element.ValueKind == JsonValueKind.Array;

    public bool IsObject => _element.ValueKind == JsonValueKind.Object;

    public bool IsText => _element.ValueKind == JsonValueKind.String;

    public bool IsNull => _element.ValueKind == JsonValueKind.Null;

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is larger than any tokenizer.</exception>
    public static void CheckSize(string file)
    {
        if (!File.Exists(file)) throw new FileNotFoundException($"{file}: there is no such file.", file);
        if (new FileInfo(file).Length is var bytes and > MaximumBytes) throw new InvalidDataException($"{file}: should have at most {MaximumBytes} bytes, found {bytes}.");
    }

    public static JsonPart Read(string file)
    {
        CheckSize(file);
        var bytes = File.ReadAllBytes(file).AsMemory();
        if (!Utf8.IsValid(bytes.Span)) throw new InvalidDataException($"{file}: should be UTF-8 text.");
        if (bytes.Span.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return new JsonPart(document.RootElement.Clone(), file, "the file");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // the latter: a key that is no UTF-16
        {
            throw new InvalidDataException($"{file}: not valid JSON: {error.Message}", error);
        }
    }

    /// <summary>The value of a key; null if it is missing or JSON null.</summary>
    public JsonPart? Find(string key)
    {
        if (!IsObject) throw Mismatch("an object");
        try
        {
            return _element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? Inner(value, key) : null;
        }
        catch (InvalidOperationException error) // a key that is no UTF-16
        {
            throw new InvalidDataException($"{_file}: {_place} has a key that is no valid text.", error);
        }
    }

    public JsonPart Get(string key) => Find(key) ?? throw new InvalidDataException($"{_file}: {_place} should have the key '{key}'.");

    /// <summary>This value as a step of the file: an object whose type is part of its place in messages.</summary>
    public JsonPart Step(out string type)
    {
        type = Get("type").Text();
        return new JsonPart(_element, _file, $"{_place} ({type})");
    }

    /// <summary>Refuses keys besides the given ones; null counts as missing.</summary>
    /// <exception cref="NotSupportedException">Names the first other key.</exception>
    public void Allow(params ReadOnlySpan<string> keys)
    {
        foreach (var (key, value) in Members())
        {
            if (!value.IsNull && !keys.Contains(key)) throw value.Unsupported($"no option besides {string.Join(", ", keys!)}");
        }
    }

    public string Text()
    {
        if (!IsText) throw Mismatch("text");
        try
        {
            return _element.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new InvalidDataException($"{_file}: {_place} is text with invalid escapes.", error);
        }
    }

    public int Integer() =>
        _element.ValueKind == JsonValueKind.Number && _element.TryGetInt32(out var value) ? value : throw Mismatch("a 32-bit integer");

    public float Number() =>
        _element.ValueKind == JsonValueKind.Number && _element.TryGetSingle(out var value) && float.IsFinite(value) ? value : throw Mismatch("a finite number");

    public bool Flag() => _element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Mismatch("true or false"),
    };

    public int Count() => IsList ? _element.GetArrayLength() : throw Mismatch("a list");

    public JsonPart this[int index] => index < Count() ? Inner(_element[index], $"{index}") : throw Mismatch($"a list of at least {index + 1}");

    public IEnumerable<JsonPart> Items()
    {
        if (!IsList) throw Mismatch("a list");
        var index = 0;
        foreach (var item in _element.EnumerateArray()) yield return Inner(item, $"{index++}");
    }

    public IEnumerable<(string Key, JsonPart Value)> Members()
    {
        if (!IsObject) throw Mismatch("an object");
        foreach (var member in _element.EnumerateObject())
        {
            string key;
            try
            {
                key = member.Name;
            }
            catch (InvalidOperationException error)
            {
                throw new InvalidDataException($"{_file}: {_place} has a key that is no valid text.", error);
            }
            yield return (key, Inner(member.Value, key));
        }
    }

    /// <summary>An error about this value, which no file should have.</summary>
    public InvalidDataException Mismatch(string expected) => new($"{_file}: {_place} should be {expected}, found {Found()}.");

    /// <summary>An error about this value, which files may have but which is not supported.</summary>
    public NotSupportedException Unsupported(string supported) => new($"{_file}: {_place} {Found()} is not supported; supported is {supported}.");

    private string Found()
    {
        const int shown = 60;
        var found = _element.GetRawText();
        return found.Length > shown ? found[..shown] + "…" : found;
    }

    private JsonPart Inner(JsonElement element, string key) => new(element, _file, _place == "the file" ? key : $"{_place}.{key}");
}
