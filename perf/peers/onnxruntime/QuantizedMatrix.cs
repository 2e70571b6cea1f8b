using System.Runtime.InteropServices;

namespace FastLayers.Peers.OnnxRuntime;

/// <summary>
/// A square matrix as MatMulNBits wants it: <c>value = scale · (code − 8)</c>, the codes of a block one after another, the lower half of a byte
/// first.
/// </summary>
internal sealed class QuantizedMatrix
{
    private const int ZeroPoint = 8;

    private QuantizedMatrix(int size, int blockLength)
    {
        Size = size;
        BlockLength = blockLength;
        Codes = new byte[(long)size * size / 2];
        Scales = new float[(long)size * size / blockLength];
    }

    /// <summary>Rows and columns.</summary>
    public int Size { get; }

    /// <summary>Values that share a scale.</summary>
    public int BlockLength { get; }

    /// <summary>[rows, columns / 2].</summary>
    public byte[] Codes { get; }

    /// <summary>[rows, columns / block length].</summary>
    public float[] Scales { get; }

    /// <summary>
    /// The values of a matrix in Q4_0, whose blocks have 32: exactly these with blocks of 32, and rounded anew with others.
    /// </summary>
    /// <param name="blocks">A scale as a half, then 16 bytes with codes 0 to 15 in their lower and 16 to 31 in their upper halves.</param>
    /// <param name="size">Rows and columns.</param>
    /// <param name="blockLength">Values that share a scale.</param>
    public static QuantizedMatrix FromQ4_0(ReadOnlySpan<byte> blocks, int size, int blockLength)
    {
        const int SourceLength = 32, SourceBytes = 18;
        if (blocks.Length != (long)size * size / SourceLength * SourceBytes) throw new InvalidDataException($"A matrix of {size} x {size} in Q4_0 has {(long)size * size / SourceLength * SourceBytes} bytes, found {blocks.Length}.");
        var matrix = new QuantizedMatrix(size, blockLength);
        Span<float> values = stackalloc float[blockLength];
        for (int target = 0; target < matrix.Scales.Length; target++)
        {
            for (int start = 0; start < blockLength; start += SourceLength, blocks = blocks[SourceBytes..])
            {
                float scale = (float)MemoryMarshal.Read<Half>(blocks);
                for (int i = 0; i < SourceLength; i++) values[start + i] = scale * (((blocks[2 + (i % 16)] >> (i / 16 * 4)) & 15) - ZeroPoint);
                if (blockLength == SourceLength) matrix.Scales[target] = scale;
            }

            if (blockLength != SourceLength) matrix.Scales[target] = ScaleOf(values);
            float inverse = matrix.Scales[target] == 0 ? 0 : 1 / matrix.Scales[target];
            var codes = matrix.Codes.AsSpan(target * blockLength / 2, blockLength / 2);
            for (int i = 0; i < blockLength; i++) codes[i / 2] |= (byte)(Math.Clamp((int)MathF.Round(values[i] * inverse) + ZeroPoint, 0, 15) << (i % 2 * 4));
        }

        return matrix;
    }

    /// <summary>Σ value · x over a row, in doubles.</summary>
    public double Product(int row, ReadOnlySpan<float> x)
    {
        double sum = 0;
        long first = (long)row * Size;
        for (int column = 0; column < Size; column++)
        {
            long place = first + column;
            int code = (Codes[place / 2] >> (int)(place % 2 * 4)) & 15;
            sum += (double)Scales[place / BlockLength] * (code - ZeroPoint) * x[column];
        }

        return sum;
    }

    /// <summary>The value farthest from zero gets the code 0, which stands for −8.</summary>
    private static float ScaleOf(ReadOnlySpan<float> values)
    {
        float farthest = 0;
        foreach (float value in values)
            if (MathF.Abs(value) > MathF.Abs(farthest)) farthest = value;
        return farthest / -ZeroPoint;
    }
}
