using System.Text;

namespace FastLayers.Tests.Loading;

/// <summary>Writes GGUF headers field by field, valid or not.</summary>
internal sealed class GgufBytes
{
    private readonly List<byte> _bytes = [];

    /// <summary>A header up to the metadata: magic, version, counts.</summary>
    public static GgufBytes Start(ulong tensorCount = 0, ulong entryCount = 0, uint version = 3) =>
        new GgufBytes().Raw("GGUF"u8).U32(version).U64(tensorCount).U64(entryCount);

    public GgufBytes Raw(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public GgufBytes U32(uint value) => Raw(BitConverter.GetBytes(value));

    public GgufBytes U64(ulong value) => Raw(BitConverter.GetBytes(value));

    public GgufBytes Text(string text) => U64((ulong)Encoding.UTF8.GetByteCount(text)).Raw(Encoding.UTF8.GetBytes(text));

    /// <summary>A tensor entry; axes as the file has them, fastest first.</summary>
    public GgufBytes Tensor(string name, ulong[] axes, uint type, ulong offset)
    {
        Text(name).U32((uint)axes.Length);
        foreach (var axis in axes) U64(axis);
        return U32(type).U64(offset);
    }

    /// <summary>Zeros up to a multiple of 32 bytes, then so many more.</summary>
    public GgufBytes Data(int count) => Raw(new byte[(32 - _bytes.Count % 32) % 32 + count]);

    public byte[] ToArray() => [.. _bytes];
}
