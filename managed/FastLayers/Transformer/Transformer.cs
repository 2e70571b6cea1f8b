namespace FastLayers;

/// <summary>The forward pass of every architecture, written once against <see cref="Device"/>.</summary>
internal sealed class Transformer(TransformerConfig config, TransformerWeights weights, Device device, ActivationPrecision precision) : IDisposable
{
    private readonly RotaryTables _rotary = new(config, device);

    public TransformerConfig Config { get; } = config;

    public TransformerWeights Weights { get; } = weights;

    public Device Device { get; } = device;

    /// <summary>Rotary tables for contexts up to a length.</summary>
    public (RotaryTable? Global, RotaryTable? Local) RotaryFor(int contextLength) => _rotary.For(contextLength);

    /// <summary>Rotary tables made so far; for tests.</summary>
    internal int RotaryTableCount => _rotary.Count;

    public void Dispose() => _rotary.Dispose();

    /// <summary>Embeds tokens into <c>state.Residual</c>.</summary>
    public void EmbedTokens(ForwardState state, ReadOnlySpan<int> ids) => Device.Embed(Weights.TokenEmbedding, ids, Config.EmbeddingScale, state.Residual);

    /// <summary>
    /// Runs the blocks over the rows in <c>state.Residual</c>, which holds token embeddings on entry and the last block's output on return.
    /// Cancellation is looked at between blocks.
    /// </summary>
    public void RunBlocks(ForwardState state, in BatchRows batch, KvPool cache, LayerPlan plan, LayerProbe? probe, CancellationToken cancellation)
    {
        int rows = batch.Count;
        int width = Weights.EmbeddingWidth;
        if (Weights.PositionEmbedding is { } positions)
        {
            Device.Embed(positions, batch.Positions, 1, state.Hidden);
            Device.Add(state.Residual, state.Hidden, 1, rows, width);
        }

        if (Weights.SegmentEmbedding is { } segment)
        {
            Device.Embed(segment, state.Zeros(rows), 1, state.Hidden);
            Device.Add(state.Residual, state.Hidden, 1, rows, width);
        }

        if (Weights.EmbeddingNorm is { } norm) Normalize(norm, state.Residual, state.Residual, rows);

        for (int i = 0; i < Weights.Layers.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var layer = Weights.Layers[i];
            probe?.BlockInput(new ProbePoint(i, state.Residual, rows, width));
            if (plan.Layers[i].Run)
            {
                Attention(i, layer, state, batch, cache, probe);
                width = layer.Output.Outputs;
                probe?.AfterAttention(new ProbePoint(i, state.Residual, rows, width));
                FeedForward(i, layer, state, rows, probe);
            }

            probe?.BlockOutput(new ProbePoint(i, state.Residual, rows, width));
        }
    }

    /// <summary>Final norm of chosen rows: <c>state.Selected[r] = norm(residual[rows[r]])</c>.</summary>
    public void SelectRows(ForwardState state, ReadOnlySpan<int> rows)
    {
        Device.GatherRows(state.Residual, rows, state.Selected, Config.Width);
        if (Weights.OutputNorm is { } norm) Normalize(norm, state.Selected, state.Selected, rows.Length);
    }

    /// <summary>Logits of the selected rows into <c>state.Logits</c>.</summary>
    public void Logits(ForwardState state, int rows)
    {
        var output = Weights.Output ?? throw new InvalidOperationException($"{Config.Architecture} is an encoder: it has no logits.");
        MatMul(output, state.Selected, state.Logits, rows);
        if (Config.LogitSoftCap > 0) Device.SoftCap(state.Logits, Config.LogitSoftCap, rows, output.Outputs);
    }

    private void Attention(int index, LayerWeights layer, ForwardState state, in BatchRows batch, KvPool cache, LayerProbe? probe)
    {
        var attention = Config.Attention;
        int rows = batch.Count;
        int width = layer.Query.Weight.Columns;
        var input = state.Residual;
        if (layer.AttentionNorm is { } norm)
        {
            Normalize(norm, state.Residual, state.Normed, rows);
            input = state.Normed;
        }

        probe?.Intermediate("attn_norm", new ProbePoint(index, input, rows, width));
        Device.MatMul([layer.Query.Into(state.Query), layer.Key.Into(state.Key), layer.Value.Into(state.Value)], input, rows, precision);
        probe?.Intermediate("query", new ProbePoint(index, state.Query, rows, layer.Query.Outputs));
        probe?.Intermediate("key", new ProbePoint(index, state.Key, rows, layer.Key.Outputs));
        probe?.Intermediate("value", new ProbePoint(index, state.Value, rows, layer.Value.Outputs));

        // A norm as wide as a head is applied to each head; one as wide as the projection, to the whole row.
        if (layer.QueryNorm is { } queryNorm) Normalize(queryNorm, state.Query, state.Query, rows * (layer.Query.Outputs / queryNorm.Weight.Columns));
        if (layer.KeyNorm is { } keyNorm) Normalize(keyNorm, state.Key, state.Key, rows * (layer.Key.Outputs / keyNorm.Weight.Columns));

        bool windowed = attention.IsWindowed(index);
        if ((windowed ? state.LocalRotary ?? state.Rotary : state.Rotary) is { } rotary)
        {
            Device.Rotate(state.Query, batch.Positions, attention.Heads, layer.KeySize, rotary);
            Device.Rotate(state.Key, batch.Positions, attention.KvHeads, layer.KeySize, rotary);
            probe?.Intermediate("query_rotated", new ProbePoint(index, state.Query, rows, layer.Query.Outputs));
            probe?.Intermediate("key_rotated", new ProbePoint(index, state.Key, rows, layer.Key.Outputs));
        }

        float scale = attention.Scale > 0 ? attention.Scale : 1f / MathF.Sqrt(layer.KeySize);
        Device.AppendKv(cache.Layers[index], batch, state.Key, state.Value);
        Device.Attend(cache.Layers[index], batch, new AttentionOptions(attention.Heads, scale, attention.SoftCap, windowed) { Precision = precision }, state.Query, state.Attended);
        probe?.Intermediate("attention", new ProbePoint(index, state.Attended, rows, layer.Output.Weight.Columns));
        MatMul(layer.Output, state.Attended, state.Hidden, rows);
        probe?.Intermediate("attn_output", new ProbePoint(index, state.Hidden, rows, layer.Output.Outputs));

        if (layer.AttentionPostNorm is { } postNorm) Normalize(postNorm, state.Hidden, state.Hidden, rows);
        if (layer.ResidualProjection is { } projection)
        {
            MatMul(projection, state.Residual, state.Normed, rows);
            state.SwapResidualAndNormed();
        }

        Device.Add(state.Residual, state.Hidden, 1, rows, layer.Output.Outputs);
        if (layer.AttentionResidualNorm is { } residualNorm) Normalize(residualNorm, state.Residual, state.Residual, rows);
    }

    private void FeedForward(int index, LayerWeights layer, ForwardState state, int rows, LayerProbe? probe)
    {
        var input = state.Residual;
        if (layer.FeedForwardNorm is { } norm)
        {
            Normalize(norm, state.Residual, state.Normed, rows);
            input = state.Normed;
        }

        probe?.Intermediate("ffn_norm", new ProbePoint(index, input, rows, Config.Width));
        if (layer.FeedForward is { } maps) Expand(index, maps, input, state.Hidden, state, rows, probe);
        else Experts(layer, input, state, rows);
        probe?.Intermediate("ffn_output", new ProbePoint(index, state.Hidden, rows, Config.Width));

        if (layer.FeedForwardPostNorm is { } postNorm) Normalize(postNorm, state.Hidden, state.Hidden, rows);
        Device.Add(state.Residual, state.Hidden, 1, rows, Config.Width);
        if (layer.FeedForwardResidualNorm is { } residualNorm) Normalize(residualNorm, state.Residual, state.Residual, rows);
    }

    /// <summary><c>output = down(act(gate(x)) · up(x))</c>, or <c>down(act(up(x)))</c> without a gate.</summary>
    private void Expand(int index, FeedForwardMaps maps, Tensor input, Tensor output, ForwardState state, int rows, LayerProbe? probe)
    {
        int width = maps.Up.Outputs;
        if (maps.Gate is { } gate) Device.MatMul([maps.Up.Into(state.Up), gate.Into(state.Gate)], input, rows, precision);
        else MatMul(maps.Up, input, state.Up, rows);
        probe?.Intermediate("ffn_up", new ProbePoint(index, state.Up, rows, width));
        var activated = state.Up;
        if (maps.Gate is not null)
        {
            probe?.Intermediate("ffn_gate", new ProbePoint(index, state.Gate, rows, width));
            Device.Activate(Config.FeedForward.Activation, state.Gate, state.Up, state.Gate, rows, width);
            activated = state.Gate;
        }
        else
        {
            Device.Activate(Config.FeedForward.Activation, state.Up, null, state.Up, rows, width);
        }

        probe?.Intermediate("ffn_activated", new ProbePoint(index, activated, rows, width));
        MatMul(maps.Down, activated, output, rows);
    }

    /// <summary>Each token through the experts that the router chose for it, expert by expert in ascending order.</summary>
    private void Experts(LayerWeights layer, Tensor input, ForwardState state, int rows)
    {
        var options = Config.FeedForward;
        var experts = layer.Experts!;
        int choices = rows * options.ExpertsUsed;
        MatMul(layer.Router!, input, state.RouterLogits!, rows);
        Device.RouteExperts(state.RouterLogits!, rows, options.Experts, options.ExpertsUsed, options.RenormalizeExperts, state.ExpertIds.AsSpan(0, choices), state.ExpertWeights.AsSpan(0, choices));
        Device.Clear(state.Hidden, rows, Config.Width);
        for (int expert = 0; expert < experts.Count; expert++)
        {
            int count = 0;
            for (int i = 0; i < choices; i++)
            {
                if (state.ExpertIds[i] != expert) continue;
                state.ExpertRows[count] = i / options.ExpertsUsed;
                state.ExpertRowWeights[count++] = state.ExpertWeights[i];
            }

            if (count == 0) continue;
            Device.GatherRows(input, state.ExpertRows.AsSpan(0, count), state.ExpertInput!, Config.Width);
            Expand(0, experts[expert], state.ExpertInput!, state.ExpertOutput!, state, count, probe: null);
            Device.ScatterAddRows(state.ExpertOutput!, state.ExpertRows.AsSpan(0, count), state.ExpertRowWeights.AsSpan(0, count), state.Hidden, Config.Width);
        }
    }

    private void MatMul(Linear map, Tensor input, Tensor output, int rows) => Device.MatMul(map.Weight, map.Bias, input, output, rows, precision);

    private void Normalize(Norm norm, Tensor input, Tensor output, int rows)
    {
        if (Config.Norm.Kind == NormKind.Rms) Device.RmsNorm(input, norm.Weight, Config.Norm.Epsilon, output, rows, norm.Weight.Columns);
        else Device.LayerNorm(input, norm.Weight, norm.Bias, Config.Norm.Epsilon, output, rows, norm.Weight.Columns);
    }
}
