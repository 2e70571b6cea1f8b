using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Embedding;

/// <summary>
/// Rows of an embedding table, stored in any format, as floats: y[t, i] = scale · table[tokens[t], i]. With scale 1 the values are exactly
/// those of <see cref="Format.Decode"/>. Bound by the latency of reaching rows far apart in memory.
/// </summary>
public static unsafe class EmbeddingLookup
{
    /// <summary>Decodes one row.</summary>
    /// <param name="format">How the row is stored.</param>
    /// <param name="row">The stored row: <see cref="Format.RowBytes"/> bytes for the length of <paramref name="y"/>.</param>
    /// <param name="scale">Factor of the values: 1, or √columns in Gemma.</param>
    /// <param name="y">Receives the values.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Row(Format format, ReadOnlySpan<byte> row, float scale, Span<float> y) => Row(SimdDispatch.Level, format, row, scale, y);

    /// <summary>Decodes the rows of several tokens.</summary>
    /// <param name="format">How the table is stored.</param>
    /// <param name="table">The table, rows one after the other; a pointer, as tables may pass the 2 GiB of a span.</param>
    /// <param name="tableRows">Rows of the table.</param>
    /// <param name="tokens">The rows wanted, any number of times, in any order.</param>
    /// <param name="scale">Factor of the values.</param>
    /// <param name="y">Receives the values, [tokens, columns]; its length says how many columns there are.</param>
    /// <exception cref="ArgumentException">y is not a whole row for each token, or the columns are not whole blocks of the format.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is not a row of the table.</exception>
    public static void Rows(Format format, byte* table, long tableRows, ReadOnlySpan<int> tokens, float scale, Span<float> y) =>
        Rows(SimdDispatch.Level, format, table, tableRows, tokens, scale, y);

    internal static void Rows(
        SimdLevel level, Format format, byte* table, long tableRows, ReadOnlySpan<int> tokens, float scale, Span<float> y)
    {
        ArgumentNullException.ThrowIfNull(format);
        if (tokens.IsEmpty && y.IsEmpty) return;
        if (tokens.IsEmpty || y.Length % tokens.Length != 0)
            throw new ArgumentException($"{nameof(EmbeddingLookup)}: expected a whole row for each of {tokens.Length} tokens, found {y.Length} values.", nameof(y));
        var columns = y.Length / tokens.Length;
        var rowBytes = checked((int)format.RowBytes(columns));
        for (var t = 0; t < tokens.Length; t++)
        {
            if (tokens[t] < 0 || tokens[t] >= tableRows)
                throw new ArgumentOutOfRangeException(nameof(tokens), tokens[t], $"{nameof(EmbeddingLookup)}: token {t} should be a row below {tableRows}.");
            Row(level, format, new ReadOnlySpan<byte>(table + tokens[t] * (long)rowBytes, rowBytes), scale, y.Slice(t * columns, columns));
        }
    }

    internal static void Row(SimdLevel level, Format format, ReadOnlySpan<byte> row, float scale, Span<float> y)
    {
        ArgumentNullException.ThrowIfNull(format);
        if (row.Length != format.RowBytes(y.Length))
            throw new ArgumentException(
                $"{nameof(EmbeddingLookup)}: expected {format.RowBytes(y.Length)} bytes for {y.Length} columns of {format.Name}, found {row.Length}.", nameof(row));
        switch (level)
        {
            case SimdLevel.V128: EmbeddingLookupSimd.Row<Lanes128>(format, row, scale, y); break;
            case SimdLevel.V256: EmbeddingLookupSimd.Row<Lanes256>(format, row, scale, y); break;
            case SimdLevel.V512: EmbeddingLookupSimd.Row<Lanes512>(format, row, scale, y); break;
            default: RowArguments.ThrowLevel(level); break;
        }
    }
}
