using System.Globalization;

namespace FastLayers.Loading;

/// <summary>
/// The key/value pairs of a model file, with typed access. Numbers keep the type that the file gave them; arrays are
/// <c>T[]</c> of the element type (<c>string[]</c>, <c>float[]</c>, <c>int[]</c>, …).
/// </summary>
public sealed class ModelMetadata
{
    private readonly Dictionary<string, object> _values;
    private readonly IReadOnlyDictionary<string, string>? _names;

    /// <summary>Creates the table.</summary>
    /// <param name="source">The file that the values come from; named in errors.</param>
    /// <param name="values">The values by key.</param>
    public ModelMetadata(string source, IReadOnlyDictionary<string, object> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        Source = source;
        _values = new Dictionary<string, object>(values, StringComparer.Ordinal);
    }

    /// <summary>Creates a table whose keys are translated ones.</summary>
    /// <param name="source">The file that the values come from.</param>
    /// <param name="values">The values by key.</param>
    /// <param name="names">What the file calls a key, for errors; keys that are not there have the same name in both.</param>
    internal ModelMetadata(string source, IReadOnlyDictionary<string, object> values, IReadOnlyDictionary<string, string> names)
        : this(source, values) => _names = names;

    /// <summary>The file that the values come from.</summary>
    public string Source { get; }

    /// <summary>All keys, in file order.</summary>
    public IReadOnlyDictionary<string, object> Values => _values;

    /// <summary>Whether <paramref name="key"/> is present.</summary>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>What the file calls a key.</summary>
    internal string NameInFile(string key) => _names?.GetValueOrDefault(key) ?? key;

    /// <summary>The value as text, or <paramref name="fallback"/> if the key is missing.</summary>
    /// <exception cref="InvalidDataException">The value is not a string.</exception>
    public string? GetString(string key, string? fallback = null) =>
        !_values.TryGetValue(key, out var value) ? fallback : value as string ?? throw Mismatch(key, "a string", value);

    /// <summary>The value as an integer, or <paramref name="fallback"/> if the key is missing.</summary>
    /// <exception cref="InvalidDataException">The value is not a number, has a fraction, or lies outside <see cref="long"/>.</exception>
    public long? GetInteger(string key, long? fallback = null)
    {
        if (!_values.TryGetValue(key, out var value)) return fallback;
        return value switch
        {
            byte or sbyte or short or ushort or int or uint or long => Convert.ToInt64(value, CultureInfo.InvariantCulture),
            ulong number when number <= long.MaxValue => (long)number,
            float or double when Convert.ToDouble(value, CultureInfo.InvariantCulture) is var number
                && Math.Abs(number) < 9e15 && number == Math.Floor(number) => (long)number,
            _ => throw Mismatch(key, "an integer", value),
        };
    }

    /// <summary>The value as a real number, or <paramref name="fallback"/> if the key is missing.</summary>
    /// <exception cref="InvalidDataException">The value is not a number.</exception>
    public double? GetNumber(string key, double? fallback = null)
    {
        if (!_values.TryGetValue(key, out var value)) return fallback;
        return value is byte or sbyte or short or ushort or int or uint or long or ulong or float or double
            ? Convert.ToDouble(value, CultureInfo.InvariantCulture)
            : throw Mismatch(key, "a number", value);
    }

    /// <summary>The value as a flag, or <paramref name="fallback"/> if the key is missing.</summary>
    /// <exception cref="InvalidDataException">The value is not a boolean.</exception>
    public bool? GetFlag(string key, bool? fallback = null) =>
        !_values.TryGetValue(key, out var value) ? fallback : value as bool? ?? throw Mismatch(key, "a boolean", value);

    /// <summary>The value as an array of exactly <typeparamref name="T"/>, or null if the key is missing.</summary>
    /// <exception cref="InvalidDataException">The value is not such an array.</exception>
    public T[]? GetArray<T>(string key) =>
        !_values.TryGetValue(key, out var value) ? null : value as T[] ?? throw Mismatch(key, $"an array of {typeof(T).Name}", value);

    /// <summary>The value as integers, whatever integer type the file gave them, or null if the key is missing.</summary>
    /// <exception cref="InvalidDataException">The value is not an array of integers, or one lies outside <see cref="long"/>.</exception>
    public long[]? GetIntegers(string key)
    {
        if (!_values.TryGetValue(key, out var value)) return null;
        return value switch
        {
            Array { Length: 0 } => [],
            ulong[] numbers when value.GetType() == typeof(ulong[]) => Array.TrueForAll(numbers, number => number <= long.MaxValue) // the runtime lets a long[] pass as ulong[]
                ? Array.ConvertAll(numbers, number => (long)number)
                : throw Mismatch(key, "an array of integers within 64 signed bits", value),
            long[] numbers => numbers,
            byte[] or sbyte[] or short[] or ushort[] or int[] or uint[] => ConvertAll((Array)value, Convert.ToInt64),
            _ => throw Mismatch(key, "an array of integers", value),
        };
    }

    /// <summary>The value as real numbers, whatever number type the file gave them, or null if the key is missing.</summary>
    /// <exception cref="InvalidDataException">The value is not an array of numbers.</exception>
    public double[]? GetNumbers(string key)
    {
        if (!_values.TryGetValue(key, out var value)) return null;
        return value switch
        {
            Array { Length: 0 } => [],
            double[] numbers => numbers,
            byte[] or sbyte[] or short[] or ushort[] or int[] or uint[] or long[] or ulong[] or float[] => ConvertAll((Array)value, Convert.ToDouble),
            _ => throw Mismatch(key, "an array of numbers", value),
        };
    }

    private static T[] ConvertAll<T>(Array source, Func<object, IFormatProvider, T> convert)
    {
        var values = new T[source.Length];
        for (var index = 0; index < values.Length; index++) values[index] = convert(source.GetValue(index)!, CultureInfo.InvariantCulture);
        return values;
    }

    private InvalidDataException Mismatch(string key, string expected, object found) =>
        new($"{Source}: metadata '{NameInFile(key)}' should be {expected}, found {Describe(found)}.");

    private static string Describe(object value) =>
        value is Array array ? $"an array of {array.Length} {array.GetType().GetElementType()!.Name}" : $"{value.GetType().Name} {value}";
}
