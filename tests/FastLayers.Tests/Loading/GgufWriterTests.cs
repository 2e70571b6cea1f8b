using FastLayers.Fuzz;
using FastLayers.Kernels.Formats;
using FastLayers.Loading;
using FsCheck.Xunit;

namespace FastLayers.Tests.Loading;

public sealed class GgufWriterTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Property(MaxTest = 100)]
    public void What_is_written_is_read(Dictionary<ushort, string[]> texts, int[] numbers, (byte Rows, byte Blocks, byte Seed)[] tensors, byte alignmentBits)
    {
        var writer = new GgufWriter(1 << (3 + alignmentBits % 6));
        foreach (var (key, value) in texts) writer.SetMetadata($"t.{key}", Array.ConvertAll(value, Readable));
        writer.SetMetadata("numbers", numbers);
        var expected = new List<(long[] Shape, Format Format, byte[] Bytes)>();
        foreach (var (rows, blocks, seed) in tensors)
        {
            var format = Format.All[seed % Format.All.Count];
            long[] shape = [1 + rows % 5, (1 + blocks % 3) * format.BlockLength];
            var bytes = new byte[shape[0] * format.RowBytes(shape[1])];
            new Random(seed).NextBytes(bytes);
            writer.AddTensor($"w{expected.Count}", shape, format, stream =>
            {
                foreach (var value in bytes) stream.WriteByte(value);
            });
            expected.Add((shape, format, bytes));
        }
        var path = _folder.PathOf("model.gguf");
        writer.Write(path);

        using var model = ModelFile.Open(path);
        foreach (var (key, value) in texts) Assert.Equal(Array.ConvertAll(value, Readable), model.Metadata.GetArray<string>($"t.{key}"));
        Assert.Equal(numbers, model.Metadata.GetArray<int>("numbers"));
        Assert.Equal(expected.Count, model.Tensors.Count);
        for (var index = 0; index < expected.Count; index++)
        {
            var tensor = model.GetTensor($"w{index}");
            Assert.Equal(expected[index].Shape, tensor.Shape);
            Assert.Same(expected[index].Format, tensor.Format);
            Assert.Equal(expected[index].Bytes, model.Bytes(tensor).ToArray());
        }
    }

    [Fact]
    public void Bytes_are_asked_for_in_file_order_and_only_while_writing()
    {
        var asked = new List<string>();
        var writer = new GgufWriter();
        foreach (var name in (string[])["b", "a", "c"])
        {
            writer.AddTensor(name, [2], Format.F32, stream =>
            {
                asked.Add(name);
                stream.Write(new byte[8]);
            });
        }
        Assert.Empty(asked);
        GgufSeeds.Bytes(writer);
        Assert.Equal(["b", "a", "c"], asked);
    }

    [Fact]
    public void A_tensor_beyond_4_GiB_needs_no_memory_and_moves_the_next_one()
    {
        const long Columns = 5L << 28; // of four bytes
        var chunk = new byte[1 << 20];
        var writer = new GgufWriter();
        writer.AddTensor("wide", [1, Columns], Format.F32, stream =>
        {
            for (var count = 0; count < Columns * 4 / chunk.Length; count++) stream.Write(chunk);
        });
        writer.AddTensor("next", [1], Format.F32, BitConverter.GetBytes(1.5f));
        using var output = new EndsOfStream();
        var before = GC.GetAllocatedBytesForCurrentThread();
        writer.Write(output);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);

        var nextOffset = BitConverter.GetBytes(Columns * 4);
        Assert.True(output.Start.AsSpan().IndexOf(nextOffset) > 0);
        Assert.Equal([.. BitConverter.GetBytes(1.5f), .. new byte[28]], output.End[^32..]);
        Assert.Equal(128 + Columns * 4 + 32, output.Position); // header of 104 bytes, both tensors padded to 32
    }

    [Theory]
    [InlineData(7)]
    [InlineData(9)]
    public void A_callback_must_write_the_bytes_of_its_tensor(int count)
    {
        var writer = new GgufWriter();
        writer.AddTensor("w", [2], Format.F32, stream => stream.Write(new byte[count]));
        var path = _folder.Write("model.gguf", "the file before");
        var message = Assert.Throws<InvalidOperationException>(() => writer.Write(path)).Message;
        Assert.Contains($"expected {(count < 8 ? "8 bytes" : "at most 8 more bytes")}", message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains($"found {count}", message, StringComparison.Ordinal);
        Assert.Equal("the file before", File.ReadAllText(path));
        Assert.Equal(["model.gguf"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void The_content_of_a_tensor_is_written_from_its_start_to_its_end()
    {
        var writer = new GgufWriter();
        writer.AddTensor("w", [2], Format.F32, stream =>
        {
            Assert.Equal((false, false, true), (stream.CanRead, stream.CanSeek, stream.CanWrite));
            Action[] others = [() => stream.ReadByte(), () => stream.Seek(0, SeekOrigin.Begin), () => stream.SetLength(8), () => stream.Position = 0];
            foreach (var other in others) Assert.Contains("from its start to its end", Assert.Throws<NotSupportedException>(other).Message, StringComparison.Ordinal);
            stream.Write(new byte[8]);
        });
        writer.Write(new MemoryStream());
    }

    [Fact]
    public void Arguments_that_GGUF_cannot_hold_are_refused()
    {
        var writer = new GgufWriter();
        Assert.Throws<ArgumentException>(() => new GgufWriter(alignment: 24));
        Assert.Throws<ArgumentException>(() => writer.SetMetadata("k", 1m));
        Assert.Throws<ArgumentException>(() => writer.SetMetadata("k", new[] { "a", null! }));
        Assert.Throws<ArgumentException>(() => writer.SetMetadata("k", new int[][] { [1] }));
        Assert.Throws<ArgumentException>(() => writer.SetMetadata("general.alignment", 64u));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("w", [], Format.F32, new byte[4]));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("w", [1, 1, 1, 1, 1], Format.F32, new byte[4]));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("w", [0, 4], Format.F32, ReadOnlyMemory<byte>.Empty));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("w", [1, 33], Format.Q4_0, new byte[18]));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("w", [1, 32], Format.Q4_0, new byte[17]));
        writer.AddTensor("w", [1, 32], Format.Q4_0, new byte[18]);
        Assert.Throws<ArgumentException>(() => writer.AddTensor("w", [1, 32], Format.Q4_0, new byte[18]));
    }

    /// <summary>Half of a surrogate pair has no UTF-8 form.</summary>
    private static string Readable(string? text) => new([.. (text ?? "").Where(character => !char.IsSurrogate(character))]);

    /// <summary>Keeps the first bytes and the last short writes, and counts the rest.</summary>
    private sealed class EndsOfStream : MemoryStream
    {
        private long _position;

        public byte[] Start { get; private set; } = [];

        public byte[] End { get; private set; } = [];

        public override long Position
        {
            get => _position;
            set => Assert.Fail($"The writer went to position {value}: streams that cannot seek are to be written, too.");
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (_position < 256) Start = [.. Start, .. buffer[..Math.Min(buffer.Length, 256)]];
            if (buffer.Length <= 32) End = [.. End.TakeLast(60), .. buffer];
            _position += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
    }
}
