using System.Buffers.Binary;
using System.Text;

namespace FastLayers.Fuzz;

/// <summary>Builds safetensors files: a header as given, padded with spaces to 8 bytes, and data.</summary>
public static class SafetensorsBytes
{
    /// <summary>A file with this header and data, whether they fit each other or not.</summary>
    public static byte[] Raw(string header, byte[] data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var padded = (json.Length + 7) / 8 * 8;
        var bytes = new byte[sizeof(ulong) + padded + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)padded);
        bytes.AsSpan(sizeof(ulong), padded).Fill((byte)' ');
        json.CopyTo(bytes, sizeof(ulong));
        data.CopyTo(bytes, sizeof(ulong) + padded);
        return bytes;
    }

    /// <summary>A valid file of tensors whose bytes follow each other and count up.</summary>
    public static byte[] Build(params (string Name, string ElementType, long[] Shape, int ByteLength)[] tensors)
    {
        var header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        var end = 0;
        foreach (var (name, elementType, shape, byteLength) in tensors)
        {
            header.Append($",\"{name}\":{{\"dtype\":\"{elementType}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{end},{end + byteLength}]}}");
            end += byteLength;
        }
        return Raw(header.Append('}').ToString(), [.. Enumerable.Range(0, end).Select(index => (byte)(index & 63))]);
    }
}
