namespace FastLayers;

/// <summary>
/// Looks at a forward pass from named points. Override what is of interest; a session without a probe pays nothing, and a probe pays for
/// the copies that it asks for with <see cref="ProbePoint.Read"/>.
/// </summary>
public abstract class LayerProbe
{
    /// <summary>The residual stream as it enters a block.</summary>
    public virtual void BlockInput(in ProbePoint point)
    {
    }

    /// <summary>The residual stream after the block's attention was added.</summary>
    public virtual void AfterAttention(in ProbePoint point)
    {
    }

    /// <summary>The residual stream as it leaves a block.</summary>
    public virtual void BlockOutput(in ProbePoint point)
    {
    }

    /// <summary>
    /// A named intermediate of a block: <c>attn_norm, query, key, value, query_rotated, key_rotated, attention, attn_output,
    /// ffn_norm, ffn_gate, ffn_up, ffn_activated, ffn_output</c>.
    /// </summary>
    public virtual void Intermediate(string name, in ProbePoint point)
    {
    }
}

/// <summary>A tensor at a point of the forward pass; valid during the call only.</summary>
/// <param name="Layer">The block.</param>
/// <param name="Values">Memory that starts with the values [<paramref name="Rows"/>, <paramref name="Columns"/>].</param>
/// <param name="Rows">Number of tokens in this batch.</param>
/// <param name="Columns">Values a token.</param>
public readonly record struct ProbePoint(int Layer, Tensor Values, int Rows, int Columns)
{
    /// <summary>Number of values that <see cref="Read"/> copies.</summary>
    public int Count => Rows * Columns;

    /// <summary>Copies the rows to the host.</summary>
    public void Read(Span<float> values) => Values.Device.Read(Values, 0, values[..Count]);
}

/// <summary>Records the residual stream at every layer boundary: entry 0 is the first block's input, entry i the output of block i − 1.</summary>
public sealed class ResidualStreamProbe : LayerProbe
{
    private readonly List<List<float>> _boundaries = [];

    /// <summary>The recorded boundaries, each [rows, width] in the order in which rows were run.</summary>
    public IReadOnlyList<IReadOnlyList<float>> Boundaries => _boundaries;

    /// <inheritdoc/>
    public override void BlockInput(in ProbePoint point)
    {
        if (point.Layer == 0) Record(0, point);
    }

    /// <inheritdoc/>
    public override void BlockOutput(in ProbePoint point) => Record(point.Layer + 1, point);

    /// <summary>Forgets what was recorded.</summary>
    public void Clear() => _boundaries.Clear();

    private void Record(int boundary, in ProbePoint point)
    {
        while (_boundaries.Count <= boundary) _boundaries.Add([]);
        var values = new float[point.Count];
        point.Read(values);
        _boundaries[boundary].AddRange(values);
    }
}
