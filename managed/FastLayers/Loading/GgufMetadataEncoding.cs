using System.Text;

namespace FastLayers.Loading;

/// <summary>How metadata values are written in a GGUF file.</summary>
internal static class GgufMetadataEncoding
{
    /// <summary>Checks that GGUF has a type for a value.</summary>
    /// <exception cref="ArgumentException">It has none.</exception>
    public static void CheckWritable(string key, object value)
    {
        if (TypeOf(value is Array array ? array.GetType().GetElementType()! : value.GetType()) is null)
            throw new ArgumentException($"Metadata {Refusal.Quote(key)}: GGUF has no type for {value.GetType().Name}.", nameof(value));
        if (value is string[] texts && Array.IndexOf(texts, null) is var index and >= 0)
            throw new ArgumentException($"Metadata {Refusal.Quote(key)}: element {index} is null.", nameof(value));
    }

    /// <summary>Writes a key with its value.</summary>
    public static void Write(BinaryWriter output, string key, object value)
    {
        WriteText(output, key);
        if (value is Array array)
        {
            var type = array.GetType().GetElementType()!;
            output.Write((uint)GgufValueType.Array);
            output.Write((uint)TypeOf(type)!);
            output.Write((ulong)array.Length);
            WriteElements(output, array);
        }
        else
        {
            output.Write((uint)TypeOf(value.GetType())!);
            WriteOne(output, value);
        }
    }

    /// <summary>Writes a text: 64-bit length, then UTF-8.</summary>
    public static void WriteText(BinaryWriter output, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        output.Write((ulong)bytes.Length);
        output.Write(bytes);
    }

    private static void WriteOne(BinaryWriter output, object value)
    {
        switch (value)
        {
            case byte number: output.Write(number); break;
            case sbyte number: output.Write(number); break;
            case ushort number: output.Write(number); break;
            case short number: output.Write(number); break;
            case uint number: output.Write(number); break;
            case int number: output.Write(number); break;
            case ulong number: output.Write(number); break;
            case long number: output.Write(number); break;
            case float number: output.Write(number); break;
            case double number: output.Write(number); break;
            case bool flag: output.Write(flag); break;
            default: WriteText(output, (string)value); break;
        }
    }

    private static void WriteElements(BinaryWriter output, Array array)
    {
        if (array is string[] texts)
        {
            foreach (var text in texts) WriteText(output, text);
            return;
        }
        foreach (var value in array) WriteOne(output, value);
    }

    private static GgufValueType? TypeOf(Type type) =>
        type == typeof(byte) ? GgufValueType.UInt8
        : type == typeof(sbyte) ? GgufValueType.Int8
        : type == typeof(ushort) ? GgufValueType.UInt16
        : type == typeof(short) ? GgufValueType.Int16
        : type == typeof(uint) ? GgufValueType.UInt32
        : type == typeof(int) ? GgufValueType.Int32
        : type == typeof(float) ? GgufValueType.Float32
        : type == typeof(bool) ? GgufValueType.Bool
        : type == typeof(string) ? GgufValueType.String
        : type == typeof(ulong) ? GgufValueType.UInt64
        : type == typeof(long) ? GgufValueType.Int64
        : type == typeof(double) ? GgufValueType.Float64
        : null;
}
