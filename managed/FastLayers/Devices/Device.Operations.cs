using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Pooling;

namespace FastLayers;

/// <content>The operations: each checks its operands and hands them to the device.</content>
public abstract partial class Device
{
    /// <summary>Sets <paramref name="rows"/> rows of <paramref name="columns"/> values to zero.</summary>
    public void Clear(Tensor target, int rows, int columns)
    {
        using var timer = Timed();
        RequireShape(rows, columns, nameof(Clear));
        RequireFloats(target, nameof(target), rows, columns);
        if (IsWork(rows, columns)) ClearCore(target, rows, columns);
    }

    /// <summary>Decodes rows <paramref name="ids"/> of a table of any format: <c>output[r] = scale · table[ids[r]]</c>.</summary>
    public void Embed(Tensor table, ReadOnlySpan<int> ids, float scale, Tensor output)
    {
        using var timer = Timed();
        RequireUsable(table, nameof(table), nameof(Embed));
        RequireIndices(ids, table.Rows, nameof(ids));
        RequireFloats(output, nameof(output), ids.Length, table.Columns);
        if (IsWork(ids.Length, table.Columns)) EmbedCore(table, ids, scale, output);
    }

    /// <summary><c>output = input · weightᵀ (+ bias)</c>, weight [outputs, inputs] in any format.</summary>
    public void MatMul(Tensor weight, Tensor? bias, Tensor input, Tensor output, int rows, ActivationPrecision precision)
    {
        using var timer = Timed();
        RequireUsable(weight, nameof(weight), nameof(MatMul), mayBePrepared: true);
        RequireCount(rows, nameof(rows), nameof(MatMul));
        RequireOptionalFloats(bias, nameof(bias), weight.Rows);
        RequireFloats(input, nameof(input), rows, weight.Columns);
        RequireFloats(output, nameof(output), rows, weight.Rows);
        if (rows > 0 && weight.Rows > 0) MatMulCore(weight, bias, input, output, rows, precision);
    }

    /// <summary>
    /// What <see cref="MatMul(Tensor, Tensor?, Tensor, Tensor, int, ActivationPrecision)"/> gives for each projection, to the bit; a device may
    /// compute them together, and round the input once.
    /// </summary>
    public void MatMul(ReadOnlySpan<Projection> projections, Tensor input, int rows, ActivationPrecision precision)
    {
        using var timer = Timed();
        RequireCount(rows, nameof(rows), nameof(MatMul));
        foreach (var (weight, bias, output) in projections)
        {
            RequireUsable(weight, nameof(weight), nameof(MatMul), mayBePrepared: true);
            RequireOptionalFloats(bias, nameof(bias), weight.Rows);
            RequireFloats(input, nameof(input), rows, weight.Columns);
            RequireFloats(output, nameof(output), rows, weight.Rows);
        }

        if (rows > 0) MatMulCore(projections, input, rows, precision);
    }

    /// <summary>Root-mean-square norm of each of <paramref name="rows"/> rows of <paramref name="columns"/> values; in place if output is input.</summary>
    public void RmsNorm(Tensor input, Tensor? weight, float epsilon, Tensor output, int rows, int columns)
    {
        using var timer = Timed();
        RequireMap(input, output, rows, columns, nameof(RmsNorm));
        RequireOptionalFloats(weight, nameof(weight), columns);
        if (IsWork(rows, columns)) RmsNormCore(input, weight, epsilon, output, rows, columns);
    }

    /// <summary>Layer norm of each row; in place if output is input.</summary>
    public void LayerNorm(Tensor input, Tensor? weight, Tensor? bias, float epsilon, Tensor output, int rows, int columns)
    {
        using var timer = Timed();
        RequireMap(input, output, rows, columns, nameof(LayerNorm));
        RequireOptionalFloats(weight, nameof(weight), columns);
        RequireOptionalFloats(bias, nameof(bias), columns);
        if (IsWork(rows, columns)) LayerNormCore(input, weight, bias, epsilon, output, rows, columns);
    }

    /// <summary>Scales each row to length 1 (Euclidean); in place if output is input.</summary>
    public void L2Normalize(Tensor input, Tensor output, int rows, int columns)
    {
        using var timer = Timed();
        RequireMap(input, output, rows, columns, nameof(L2Normalize));
        if (IsWork(rows, columns)) L2NormalizeCore(input, output, rows, columns);
    }

    /// <summary>Pools all rows to one; the output is apart from the input.</summary>
    /// <exception cref="ArgumentException">An operand does not fit, or the output overlaps the input.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are no rows, or the pooling is not defined.</exception>
    public void Pool(PoolingKind kind, Tensor input, Tensor output, int rows, int columns)
    {
        using var timer = Timed();
        RequireShape(rows, columns, nameof(Pool));
        RequireDefined(kind, nameof(Pool));
        if (rows == 0) throw new ArgumentOutOfRangeException(nameof(rows), "Pool: there are no rows to pool.");
        RequireFloats(input, nameof(input), rows, columns);
        RequireFloats(output, nameof(output), 1, columns);
        RequireApart(output, 1, columns, input, rows, columns);
        if (columns > 0) PoolCore(kind, input, output, rows, columns);
    }

    /// <summary>Rotates the heads of each row by its position, in place.</summary>
    public void Rotate(Tensor values, ReadOnlySpan<int> positions, int heads, int headSize, RotaryTable table)
    {
        using var timer = Timed();
        ArgumentNullException.ThrowIfNull(table);
        RequireShape(heads, headSize, nameof(Rotate));
        RequireFloats(values, nameof(values), positions.Length, (long)heads * headSize);
        RequireFloats(table.Cosines, nameof(table), table.Positions, table.Pairs);
        RequireFloats(table.Sines, nameof(table), table.Positions, table.Pairs);
        if (2 * table.Pairs > headSize) throw new ArgumentException($"Rotate: the table has {table.Pairs} pairs a head, more than fit in heads of {headSize} values.", nameof(table));
        RequireIndices(positions, table.Positions, nameof(positions));
        if (IsWork(positions.Length, heads * headSize)) RotateCore(values, positions, heads, headSize, table);
    }

    /// <summary>Stores new keys and values in the cache of one layer.</summary>
    public void AppendKv(KvLayer layer, in BatchRows batch, Tensor keys, Tensor values)
    {
        using var timer = Timed();
        RequireCache(layer, nameof(AppendKv));
        RequireBatch(batch, layer, attends: false, windowed: false, nameof(AppendKv));
        RequireFloats(keys, nameof(keys), batch.Count, (long)layer.Heads * layer.Keys.Columns);
        RequireFloats(values, nameof(values), batch.Count, (long)layer.Heads * layer.Values.Columns);
        if (batch.Count > 0) AppendKvCore(layer, batch, keys, values);
    }

    /// <summary>Attention of each row's queries over the cache of one layer.</summary>
    public void Attend(KvLayer layer, in BatchRows batch, in AttentionOptions options, Tensor query, Tensor output)
    {
        using var timer = Timed();
        RequireCache(layer, nameof(Attend));
        RequireBatch(batch, layer, attends: true, options.Windowed, nameof(Attend));
        RequireHeads(options, layer, nameof(Attend));
        RequireFloats(query, nameof(query), batch.Count, (long)options.Heads * layer.Keys.Columns);
        RequireFloats(output, nameof(output), batch.Count, (long)options.Heads * layer.Values.Columns);
        if (batch.Count > 0) AttendCore(layer, batch, options, query, output);
    }

    /// <summary>Elementwise activation, or <c>activation(gate) · up</c> if <paramref name="up"/> is given; in place if output is gate.</summary>
    public void Activate(ActivationKind kind, Tensor gate, Tensor? up, Tensor output, int rows, int columns)
    {
        using var timer = Timed();
        RequireShape(rows, columns, nameof(Activate));
        RequireFloats(gate, nameof(gate), rows, columns);
        if (up is not null) RequireFloats(up, nameof(up), rows, columns);
        RequireFloats(output, nameof(output), rows, columns);
        if (IsWork(rows, columns)) ActivateCore(kind, gate, up, output, rows, columns);
    }

    /// <summary><c>target += factor · source</c>.</summary>
    public void Add(Tensor target, Tensor source, float factor, int rows, int columns)
    {
        using var timer = Timed();
        RequireShape(rows, columns, nameof(Add));
        RequireFloats(target, nameof(target), rows, columns);
        RequireFloats(source, nameof(source), rows, columns);
        if (IsWork(rows, columns)) AddCore(target, source, factor, rows, columns);
    }

    /// <summary><c>values = cap · tanh(values / cap)</c>.</summary>
    public void SoftCap(Tensor values, float cap, int rows, int columns)
    {
        using var timer = Timed();
        RequireShape(rows, columns, nameof(SoftCap));
        RequireFloats(values, nameof(values), rows, columns);
        if (!(cap > 0)) throw new ArgumentOutOfRangeException(nameof(cap), cap, "SoftCap: the cap must be positive.");
        if (IsWork(rows, columns)) SoftCapCore(values, cap, rows, columns);
    }

    /// <summary>Copies rows: <c>output[r] = input[indices[r]]</c>.</summary>
    public void GatherRows(Tensor input, ReadOnlySpan<int> indices, Tensor output, int columns)
    {
        using var timer = Timed();
        RequireCount(columns, nameof(columns), nameof(GatherRows));
        RequireFloats(output, nameof(output), indices.Length, columns);
        RequireFloats(input, nameof(input), 0, columns);
        RequireIndices(indices, columns == 0 ? int.MaxValue : input.Count / columns, nameof(indices));
        if (IsWork(indices.Length, columns)) GatherRowsCore(input, indices, output, columns);
    }

    /// <summary>Adds weighted rows: <c>target[indices[r]] += weights[r] · source[r]</c>; indices are distinct.</summary>
    public void ScatterAddRows(Tensor source, ReadOnlySpan<int> indices, ReadOnlySpan<float> weights, Tensor target, int columns)
    {
        using var timer = Timed();
        RequireCount(columns, nameof(columns), nameof(ScatterAddRows));
        RequireLength(weights.Length, indices.Length, nameof(weights), nameof(ScatterAddRows));
        RequireFloats(source, nameof(source), indices.Length, columns);
        RequireFloats(target, nameof(target), 0, columns);
        RequireIndices(indices, columns == 0 ? int.MaxValue : target.Count / columns, nameof(indices));
        if (IsWork(indices.Length, columns)) ScatterAddRowsCore(source, indices, weights, target, columns);
    }

    /// <summary>
    /// Chooses the experts of each row from router logits [rows, experts]: softmax, the <paramref name="used"/> largest (lowest index
    /// first among equals), optionally scaled to sum to 1. Results are [rows, used] on the host.
    /// </summary>
    public void RouteExperts(Tensor logits, int rows, int experts, int used, bool renormalize, Span<int> ids, Span<float> weights)
    {
        using var timer = Timed();
        RequireShape(rows, experts, nameof(RouteExperts));
        RequireFloats(logits, nameof(logits), rows, experts);
        if (used < 0 || used > experts) throw new ArgumentOutOfRangeException(nameof(used), used, $"RouteExperts: there are {experts} experts.");
        RequireLength(ids.Length, (long)rows * used, nameof(ids), nameof(RouteExperts));
        RequireLength(weights.Length, (long)rows * used, nameof(weights), nameof(RouteExperts));
        if (IsWork(rows, used)) RouteExpertsCore(logits, rows, experts, used, renormalize, ids, weights);
    }

    private static bool IsWork(int rows, int columns) => rows > 0 && columns > 0;

    private static void RequireShape(int rows, int columns, string operation)
    {
        RequireCount(rows, nameof(rows), operation);
        RequireCount(columns, nameof(columns), operation);
    }

    private void RequireMap(Tensor input, Tensor output, int rows, int columns, string operation)
    {
        RequireShape(rows, columns, operation);
        RequireFloats(input, nameof(input), rows, columns, operation);
        RequireFloats(output, nameof(output), rows, columns, operation);
    }

    /// <summary>Whether the device can keep keys and values in these formats; f32 or f16 for both it always can.</summary>
    public virtual bool SupportsCache(Format keys, Format values) => keys == values && (keys == Format.F32 || keys == Format.F16);

    private void RequireCache(KvLayer layer, string operation)
    {
        ArgumentNullException.ThrowIfNull(layer);
        RequireUsable(layer.Keys, nameof(layer), operation);
        RequireUsable(layer.Values, nameof(layer), operation);
        if (!SupportsCache(layer.Keys.Format, layer.Values.Format))
            throw new ArgumentException($"{operation}: {Name} cannot store keys as {layer.Keys.Format.Name} and values as {layer.Values.Format.Name}.", nameof(layer));
    }
}
