using System.Text.Json;

namespace FastLayers.Loading;

/// <summary>
/// Flattens a JSON document into metadata: nested objects by dots (<c>config.rope_scaling.type</c>), whole numbers as
/// <see cref="long"/>, others as <see cref="double"/>, arrays of one kind as <c>string[]</c>, <c>bool[]</c>, <c>long[]</c> or
/// <c>double[]</c> (empty ones as <c>string[0]</c>). Elements of other arrays get their index as a key part. Null is absence.
/// </summary>
internal sealed class ConfigMetadata(string file, long fileBytes, Dictionary<string, object> values)
{
    /// <summary>
    /// Flattened keys repeat the names above them. Their characters together may be 4 M plus this multiple of the file's
    /// bytes: far beyond any real configuration, and a bound for one built of long names and many leaves.
    /// </summary>
    private const int KeyCharactersPerByte = 4;

    private const int FreeKeyCharacters = 1 << 22;

    /// <summary>The most values of a configuration; the largest in use, labels of 21,000 classes in both directions, has a fifth of it.</summary>
    private const int MostValues = 200_000;

    private long _keyCharacters;

    /// <summary>Adds the members of an object under a prefix that ends with a dot.</summary>
    public void Add(string prefix, JsonElement members)
    {
        foreach (var member in members.EnumerateObject()) AddValue(Key(prefix, member.Name), member.Value);
    }

    private void AddValue(string key, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                break;
            case JsonValueKind.Object:
                Add(key + ".", value);
                break;
            case JsonValueKind.Array when TypedArray(key, value) is { } array:
                Set(key, array);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var element in value.EnumerateArray()) AddValue(Key(key + ".", $"{index++}"), element);
                break;
            case JsonValueKind.String:
                Set(key, value.GetString()!);
                break;
            case JsonValueKind.Number:
                Set(key, value.TryGetInt64(out var whole) ? (object)whole : Number(key, value)); // without the cast both become double
                break;
            default:
                Set(key, value.GetBoolean());
                break;
        }
    }

    /// <summary>The array if all of its elements are of one kind, else null.</summary>
    private Array? TypedArray(string key, JsonElement array)
    {
        if (array.GetArrayLength() == 0) return Array.Empty<string>();
        var (texts, flags, numbers, whole) = (true, true, true, true);
        foreach (var element in array.EnumerateArray())
        {
            texts &= element.ValueKind == JsonValueKind.String;
            flags &= element.ValueKind is JsonValueKind.True or JsonValueKind.False;
            numbers &= element.ValueKind == JsonValueKind.Number;
            whole &= numbers && element.TryGetInt64(out _);
        }
        return texts ? Elements(array, element => element.GetString()!)
            : flags ? Elements(array, element => element.GetBoolean())
            : whole ? Elements(array, element => element.GetInt64())
            : numbers ? Elements(array, element => Number(key, element))
            : null;
    }

    private static T[] Elements<T>(JsonElement array, Func<JsonElement, T> read)
    {
        var values = new T[array.GetArrayLength()];
        var index = 0;
        foreach (var element in array.EnumerateArray()) values[index++] = read(element);
        return values;
    }

    private double Number(string key, JsonElement value) =>
        value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw Refusal.Of(file, Refusal.Quote(key), "a number within double precision", Refusal.Quote(value.GetRawText()));

    private void Set(string key, object value)
    {
        if (values.Count == MostValues) throw Refusal.Of(file, Refusal.Quote(key), $"at most {MostValues} values in a configuration", "another one");
        if (!values.TryAdd(key, value)) throw Refusal.Of(file, Refusal.Quote(key), "a key that occurs once", "a second value for it");
    }

    private string Key(string prefix, string name)
    {
        _keyCharacters += prefix.Length + name.Length;
        var most = FreeKeyCharacters + KeyCharactersPerByte * fileBytes;
        if (_keyCharacters > most) throw Refusal.Of(file, "names", $"at most {most} characters in all flattened keys", "more");
        return prefix + name;
    }
}
