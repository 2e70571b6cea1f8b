using System.Globalization;
using System.Runtime.InteropServices;

namespace FastLayers.Peers.OnnxRuntime;

/// <summary>The bytes of an ONNX model (onnx.proto) in which some MatMulNBits multiply one input, each with a matrix of its own.</summary>
internal static class MatMulModel
{
    public const string Input = "x";

    /// <summary>Activations are rounded to 8 bit too.</summary>
    public const int AccuracyLevel = 4;

    private const int IrVersion = 10;
    private const int OperatorSet = 21;
    private const int FloatType = 1;
    private const int ByteType = 2;
    private const int IntegerAttribute = 2;

    /// <summary>The name of an output.</summary>
    public static string Output(int index) => string.Create(CultureInfo.InvariantCulture, $"y{index}");

    /// <summary>Writes the model.</summary>
    /// <param name="matrix">What all of them multiply with, each in a copy.</param>
    /// <param name="rows">Rows of the input.</param>
    /// <param name="count">Operators.</param>
    public static byte[] Write(QuantizedMatrix matrix, int rows, int count)
    {
        int size = matrix.Size, blocks = size / matrix.BlockLength;
        var graph = new ProtoWriter();
        for (int i = 0; i < count; i++)
        {
            graph.Message(1, new ProtoWriter()
                .Text(1, Input).Text(1, "b" + Output(i)).Text(1, "s" + Output(i)).Text(2, Output(i)).Text(3, "n" + Output(i)).Text(4, "MatMulNBits")
                .Message(5, Attribute("K", size)).Message(5, Attribute("N", size)).Message(5, Attribute("bits", 4))
                .Message(5, Attribute("block_size", matrix.BlockLength)).Message(5, Attribute("accuracy_level", AccuracyLevel))
                .Text(7, "com.microsoft"));
        }

        graph.Text(2, "products");
        for (int i = 0; i < count; i++)
        {
            graph.Message(5, Constant("b" + Output(i), ByteType, matrix.Codes, size, blocks, matrix.BlockLength / 2));
            graph.Message(5, Constant("s" + Output(i), FloatType, MemoryMarshal.AsBytes(matrix.Scales.AsSpan()), size, blocks));
        }

        graph.Message(11, Floats(Input, rows, size));
        for (int i = 0; i < count; i++) graph.Message(12, Floats(Output(i), rows, size));
        return new ProtoWriter().Number(1, IrVersion).Message(7, graph)
            .Message(8, new ProtoWriter().Text(1, "").Number(2, OperatorSet))
            .Message(8, new ProtoWriter().Text(1, "com.microsoft").Number(2, 1)).ToArray();
    }

    private static ProtoWriter Attribute(string name, long value) => new ProtoWriter().Text(1, name).Number(3, value).Number(20, IntegerAttribute);

    private static ProtoWriter Constant(string name, int type, ReadOnlySpan<byte> bytes, params ReadOnlySpan<int> shape)
    {
        var tensor = new ProtoWriter();
        foreach (int length in shape) tensor.Number(1, length);
        return tensor.Number(2, type).Text(8, name).Bytes(9, bytes);
    }

    private static ProtoWriter Floats(string name, params ReadOnlySpan<int> shape)
    {
        var dimensions = new ProtoWriter();
        foreach (int length in shape) dimensions.Message(1, new ProtoWriter().Number(1, length));
        return new ProtoWriter().Text(1, name).Message(2, new ProtoWriter().Message(1, new ProtoWriter().Number(1, FloatType).Message(2, dimensions)));
    }
}
