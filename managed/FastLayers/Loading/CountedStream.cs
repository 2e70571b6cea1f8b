namespace FastLayers.Loading;

/// <summary>A write-only stream that knows its position and refuses bytes beyond a limit. It does not close what it writes to.</summary>
internal sealed class CountedStream(Stream output) : Stream
{
    private long _position;

    /// <summary>The position that no write may pass.</summary>
    public long Limit { get; set; } = long.MaxValue;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => _position;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set => throw NotThatWay();
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length > Limit - _position)
            throw new InvalidOperationException($"Expected at most {Limit - _position} more bytes, found {buffer.Length}.");
        output.Write(buffer);
        _position += buffer.Length;
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush() => output.Flush();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw NotThatWay();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw NotThatWay();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw NotThatWay();

    /// <summary>What the contract of <see cref="Stream"/> asks of one that says it can neither read nor seek.</summary>
    private static NotSupportedException NotThatWay() => new("The content of a tensor is written from its start to its end: it cannot be read, and its position and length cannot be set.");
}
