using FastLayers.Kernels.Formats;

namespace FastLayers.Synthesis;

/// <summary>A tensor of a synthetic model: noise around a center, or values that follow from the shape.</summary>
internal sealed record SyntheticTensor(string Name, long[] Shape, Format Format)
{
    /// <summary>The place in the stream of noise where the tensor starts.</summary>
    public long First { get; init; }

    public float Center { get; init; }

    public float Deviation { get; init; }

    /// <summary>The values themselves, where they are no noise.</summary>
    public float[]? Values { get; init; }

    public long Columns => Shape[^1];

    public long Rows => Shape[..^1].Aggregate(1L, (product, length) => checked(product * length));
}

/// <summary>Collects the metadata and tensors of a synthetic model, in the order of the file.</summary>
internal sealed class SyntheticLayout(SyntheticModelOptions options)
{
    /// <summary>The deviation of norm weights around 1, and of biases around 0.</summary>
    private const float VectorDeviation = 0.1f;

    private readonly List<KeyValuePair<string, object>> _metadata = [];
    private readonly List<SyntheticTensor> _tensors = [];
    private long _next;

    public IReadOnlyList<KeyValuePair<string, object>> Metadata => _metadata;

    public IReadOnlyList<SyntheticTensor> Tensors => _tensors;

    /// <summary>Sets a metadata value.</summary>
    public void Set(string key, object value) => _metadata.Add(new(key, value));

    /// <summary>Sets a count, as the unsigned 32-bit number that GGUF files use for it.</summary>
    public void SetCount(string key, long value) => Set(key, checked((uint)value));

    /// <summary>Adds a matrix in the model's format, or in F16 where its rows are not whole blocks.</summary>
    public void Matrix(string name, params long[] shape) =>
        AddNoise(new SyntheticTensor(name, shape, shape[^1] % options.Format.BlockLength == 0 ? options.Format : Format.F16) { Deviation = DeviationOf(shape) });

    /// <summary>Adds a matrix that stays F32 in every file: routers, tables of positions and of token types.</summary>
    public void Table(string name, params long[] shape) =>
        AddNoise(new SyntheticTensor(name, shape, Format.F32) { Deviation = DeviationOf(shape) });

    /// <summary>Adds the weights of a norm, and biases where it has them.</summary>
    public void Norm(string name, long length, bool withBias)
    {
        AddNoise(new SyntheticTensor(name + ".weight", [length], Format.F32) { Center = 1, Deviation = VectorDeviation });
        if (withBias) Bias(name, length);
    }

    /// <summary>Adds a bias.</summary>
    public void Bias(string name, long length) =>
        AddNoise(new SyntheticTensor(name + ".bias", [length], Format.F32) { Deviation = VectorDeviation });

    /// <summary>Adds values that are no noise.</summary>
    public void Constant(string name, float[] values) =>
        _tensors.Add(new SyntheticTensor(name, [values.Length], Format.F32) { Values = values });

    private float DeviationOf(long[] shape) => options.Deviation > 0 ? options.Deviation : 1 / MathF.Sqrt(shape[^1]);

    private void AddNoise(SyntheticTensor tensor)
    {
        _tensors.Add(tensor with { First = _next });
        _next = checked(_next + tensor.Rows * tensor.Columns);
    }
}
