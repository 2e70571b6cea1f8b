using FastLayers.Kernels.Formats;

namespace FastLayers;

/// <summary>The activations of one forward pass, allocated once for the largest batch and reused.</summary>
internal sealed class ForwardState : IDisposable
{
    private readonly List<Tensor> _tensors = [];
    private readonly int[] _zeros;

    public ForwardState(Transformer transformer, int rows, int logitRows, RotaryTable? rotary, RotaryTable? localRotary)
    {
        var config = transformer.Config;
        var weights = transformer.Weights;
        var device = transformer.Device;
        int width = Math.Max(config.Width, weights.EmbeddingWidth);
        int queryWidth = weights.Layers.Max(l => l.Query.Outputs);
        int attendedWidth = weights.Layers.Max(l => l.Output.Weight.Columns);
        int keyWidth = weights.Layers.Max(l => l.Key.Outputs);
        int valueWidth = weights.Layers.Max(l => l.Value.Outputs);
        int hiddenWidth = weights.Layers.Max(l => l.FeedForward?.Up.Outputs ?? l.Experts![0].Up.Outputs);

        Rows = rows;
        LogitRows = logitRows;
        Rotary = rotary;
        LocalRotary = localRotary;
        Residual = Allocate(rows, width);
        Normed = Allocate(rows, width);
        Hidden = Allocate(rows, width);
        Query = Allocate(rows, queryWidth);
        Key = Allocate(rows, keyWidth);
        Value = Allocate(rows, valueWidth);
        Attended = Allocate(rows, attendedWidth);
        Up = Allocate(rows, hiddenWidth);
        Gate = Allocate(rows, hiddenWidth);
        Selected = Allocate(logitRows, config.Width);
        Logits = Allocate(logitRows, weights.Output?.Outputs ?? 1);
        _zeros = new int[rows];
        if (config.FeedForward.Experts > 0)
        {
            RouterLogits = Allocate(rows, config.FeedForward.Experts);
            ExpertInput = Allocate(rows, width);
            ExpertOutput = Allocate(rows, width);
            ExpertIds = new int[rows * config.FeedForward.ExpertsUsed];
            ExpertWeights = new float[rows * config.FeedForward.ExpertsUsed];
            ExpertRows = new int[rows];
            ExpertRowWeights = new float[rows];
        }

        Tensor Allocate(long count, int columns)
        {
            try
            {
                _tensors.Add(device.Allocate(Format.F32, count, columns));
                return _tensors[^1];
            }
            catch
            {
                Dispose();
                throw;
            }
        }
    }

    /// <summary>Tokens that one pass can hold.</summary>
    public int Rows { get; }

    /// <summary>Rows of logits that one pass can hold.</summary>
    public int LogitRows { get; }

    public RotaryTable? Rotary { get; }

    public RotaryTable? LocalRotary { get; }

    public Tensor Residual { get; private set; }

    public Tensor Normed { get; private set; }

    public Tensor Hidden { get; }

    public Tensor Query { get; }

    public Tensor Key { get; }

    public Tensor Value { get; }

    public Tensor Attended { get; }

    public Tensor Up { get; }

    public Tensor Gate { get; }

    public Tensor Selected { get; }

    public Tensor Logits { get; }

    public Tensor? RouterLogits { get; }

    public Tensor? ExpertInput { get; }

    public Tensor? ExpertOutput { get; }

    public int[] ExpertIds { get; } = [];

    public float[] ExpertWeights { get; } = [];

    public int[] ExpertRows { get; } = [];

    public float[] ExpertRowWeights { get; } = [];

    public ReadOnlySpan<int> Zeros(int count) => _zeros.AsSpan(0, count);

    public void SwapResidualAndNormed() => (Residual, Normed) = (Normed, Residual);

    public void Dispose()
    {
        foreach (var tensor in _tensors) tensor.Dispose();
    }
}
