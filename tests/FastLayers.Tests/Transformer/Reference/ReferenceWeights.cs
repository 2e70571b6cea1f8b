using FastLayers.Loading;

namespace FastLayers.Tests.Transformer.Reference;

/// <summary>The tensors of a model as plain float arrays, decoded by the scalar definition of their format.</summary>
internal sealed class ReferenceWeights(ModelFile file)
{
    private readonly Dictionary<string, float[]> _decoded = [];

    public bool Has(string name) => file.TryGetTensor(name, out _);

    public float[] Values(string name)
    {
        if (_decoded.TryGetValue(name, out var known)) return known;
        var entry = file.GetTensor(name);
        var values = new float[checked(entry.Rows * entry.Columns)];
        entry.Format.Decode(file.Bytes(entry), values);
        return _decoded[name] = values;
    }

    /// <summary>Row <paramref name="row"/> of a matrix.</summary>
    public double[] Row(string name, long row)
    {
        var columns = (int)file.GetTensor(name).Columns;
        return [.. Values(name).AsSpan(checked((int)(row * columns)), columns).ToArray().Select(value => (double)value)];
    }

    /// <summary>
    /// The product of a matrix with a vector, plus the bias of that name if there is one. <paramref name="slice"/> picks one
    /// matrix of a stack <c>[slices, rows, columns]</c>.
    /// </summary>
    public double[] Project(string name, double[] input, int slice = 0)
    {
        var shape = file.GetTensor(name + ".weight").Shape;
        var (rows, columns) = ((int)shape[^2], (int)shape[^1]);
        if (columns != input.Length) throw new InvalidDataException($"{name}: {columns} columns for {input.Length} values");
        var values = Values(name + ".weight");
        var bias = Has(name + ".bias") ? Values(name + ".bias") : null;
        var output = new double[rows];
        for (var row = 0; row < rows; row++)
        {
            var start = ((long)slice * rows + row) * columns;
            double sum = 0;
            for (var column = 0; column < columns; column++) sum += values[start + column] * input[column];
            output[row] = bias is null ? sum : sum + bias[row];
        }
        return output;
    }
}
