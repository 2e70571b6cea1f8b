namespace FastLayers.Architectures;

/// <summary>Gathers the weights of a model by the names of its architecture.</summary>
internal sealed class WeightLoader(WeightReader reader, Architecture architecture, TransformerConfig config)
{
    public TransformerWeights Load(CancellationToken cancellation)
    {
        bool useLite = architecture.Name == UseLite.Name;
        int embeddingWidth = useLite ? (int)reader.Shape("token_embd.weight").Columns : config.Width;
        var embedding = reader.Matrix("token_embd.weight", config.VocabularySize, embeddingWidth);
        return new TransformerWeights
        {
            TokenEmbedding = embedding,
            PositionEmbedding = useLite ? SinusoidalPositions(embeddingWidth)
                : architecture.Rotary ? null
                : reader.Matrix("position_embd.weight", config.ContextLength, config.Width),
            SegmentEmbedding = architecture.EmbeddingNorm && reader.Has("token_types.weight") ? reader.Matrix("token_types.weight", reader.Shape("token_types.weight").Rows, config.Width) : null,
            EmbeddingNorm = architecture.EmbeddingNorm ? reader.Norm("token_embd_norm", config.Width) : null,
            Layers = [.. Enumerable.Range(0, config.LayerCount).Select(index => Layer(index, cancellation))],
            OutputNorm = config.IsEncoder ? reader.OptionalNorm("output_norm", config.Width) : reader.Norm("output_norm", config.Width),
            Output = config.IsEncoder ? null
                : reader.Prepared(reader.Has("output.weight") ? reader.Linear("output", config.VocabularySize, config.Width) : new Linear(embedding)),
            PoolingHead = useLite ? reader.Linear("head", reader.Shape("head.weight").Rows, config.Width) : null,
        };
    }

    private Tensor SinusoidalPositions(int width)
    {
        var table = UseLite.Positions(reader.Values(UseLite.TimescalesTensor, width / 2));
        return reader.Store(table, table.Length / width, width);
    }

    private LayerWeights Layer(int index, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        reader.Forget();
        string block = $"blk.{index}.";
        bool before = architecture.Placement.HasFlag(NormPlacement.Before);
        bool after = architecture.Placement.HasFlag(NormPlacement.After);
        bool afterAddition = architecture.Placement.HasFlag(NormPlacement.AfterAddition);
        var attention = config.Attention;
        int width = config.Width;
        int inputWidth = width;
        int keySize = attention.KeySize;
        int valueSize = attention.ValueSize;
        if (keySize == 0)
        {
            var (rows, columns) = reader.Shape(block + "attn_qkv.weight");
            inputWidth = (int)columns;
            keySize = valueSize = (int)(rows / 3 / attention.Heads);
        }

        int queries = attention.Heads * keySize;
        int keys = attention.KvHeads * keySize;
        int values = attention.KvHeads * valueSize;
        Linear query, key, value;
        if (reader.Has(block + "attn_qkv.weight"))
        {
            var fused = reader.Linear(block + "attn_qkv", (long)queries + keys + values, inputWidth);
            query = WeightReader.Part(fused, 0, queries);
            key = WeightReader.Part(fused, queries, keys);
            value = WeightReader.Part(fused, queries + keys, values);
        }
        else
        {
            query = reader.Linear(block + "attn_q", queries, inputWidth);
            key = reader.Linear(block + "attn_k", keys, inputWidth);
            value = reader.Linear(block + "attn_v", values, inputWidth);
        }

        bool experts = config.FeedForward.Experts > 0;
        return new LayerWeights
        {
            AttentionNorm = before ? reader.Norm(block + "attn_norm", inputWidth) : null,
            Query = reader.Prepared(query),
            Key = reader.Prepared(key),
            Value = reader.Prepared(value),
            QueryNorm = architecture.QkNorm ? QkNorm(block + "attn_q_norm", keySize, queries) : null,
            KeyNorm = architecture.QkNorm ? QkNorm(block + "attn_k_norm", keySize, keys) : null,
            Output = reader.Prepared(reader.Linear(block + "attn_output", width, (long)attention.Heads * valueSize)),
            ResidualProjection = reader.Has(block + "residual_proj.weight") ? reader.Prepared(reader.Linear(block + "residual_proj", width, inputWidth)) : null,
            AttentionPostNorm = after ? reader.Norm(block + "post_attention_norm", width) : null,
            AttentionResidualNorm = afterAddition ? reader.Norm(block + "attn_output_norm", width) : null,
            FeedForwardNorm = before ? reader.Norm(block + "ffn_norm", width) : null,
            FeedForward = experts ? null : Prepared(FeedForward(block)),
            Router = experts ? reader.Prepared(reader.Linear(block + "ffn_gate_inp", config.FeedForward.Experts, width)) : null,
            Experts = experts ? [.. Enumerable.Range(0, config.FeedForward.Experts).Select(e => Prepared(Expert(block, e)))] : null,
            FeedForwardPostNorm = after ? reader.Norm(block + "post_ffw_norm", width) : null,
            FeedForwardResidualNorm = afterAddition ? reader.Norm(block + "layer_output_norm", width) : null,
            KeySize = keySize,
            ValueSize = valueSize,
        };
    }

    private FeedForwardMaps Prepared(FeedForwardMaps maps) =>
        new(maps.Gate is null ? null : reader.Prepared(maps.Gate), reader.Prepared(maps.Up), reader.Prepared(maps.Down));

    /// <summary>A norm of each head, or of all heads together where the weight is that long (olmo2).</summary>
    private Norm QkNorm(string name, int headSize, int width) =>
        reader.Norm(name, reader.Shape(name + ".weight").Columns == width ? width : headSize);

    private FeedForwardMaps FeedForward(string block)
    {
        int hidden = config.FeedForward.Width;
        var down = reader.Linear(block + "ffn_down", config.Width, hidden);
        if (!architecture.Gated) return new FeedForwardMaps(null, reader.Linear(block + "ffn_up", hidden, config.Width), down);
        if (reader.Has(block + "ffn_gate.weight"))
            return new FeedForwardMaps(reader.Linear(block + "ffn_gate", hidden, config.Width), reader.Linear(block + "ffn_up", hidden, config.Width), down);

        // Gate and up fused, gate first (phi3).
        var fused = reader.Linear(block + "ffn_up", 2L * hidden, config.Width);
        return new FeedForwardMaps(WeightReader.Part(fused, 0, hidden), WeightReader.Part(fused, hidden, hidden), down);
    }

    private FeedForwardMaps Expert(string block, int expert)
    {
        int experts = config.FeedForward.Experts;
        int hidden = config.FeedForward.Width;
        return new FeedForwardMaps(
            new Linear(reader.ExpertMatrix(block + "ffn_gate_exps.weight", expert, experts, hidden, config.Width)),
            new Linear(reader.ExpertMatrix(block + "ffn_up_exps.weight", expert, experts, hidden, config.Width)),
            new Linear(reader.ExpertMatrix(block + "ffn_down_exps.weight", expert, experts, config.Width, hidden)));
    }
}
