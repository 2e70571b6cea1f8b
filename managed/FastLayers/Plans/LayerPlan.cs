using System.Collections.Immutable;

namespace FastLayers;

/// <summary>What a session does with one layer.</summary>
/// <param name="Run">Whether the block runs; if not, the residual stream passes unchanged.</param>
public sealed record LayerStep(bool Run = true);

/// <summary>
/// How a model is run, layer by layer: one document, immutable, the same for every method that changes what a session executes.
/// </summary>
public sealed record LayerPlan
{
    private LayerPlan(ImmutableArray<LayerStep> layers) => Layers = layers;

    /// <summary>One step a layer.</summary>
    /// <exception cref="ArgumentException">The array is default, or a step is null.</exception>
    public ImmutableArray<LayerStep> Layers
    {
        get;
        init => field = value.IsDefault || value.Contains(null!)
            ? throw new ArgumentException($"{nameof(Layers)} of a plan holds one step a layer; it may not be default or hold null.", nameof(value))
            : value;
    }

    /// <summary>The plan that runs every layer.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="layerCount"/> is not positive.</exception>
    public static LayerPlan RunAll(int layerCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(layerCount);
        return new LayerPlan([.. Enumerable.Repeat(new LayerStep(), layerCount)]);
    }

    /// <summary>This plan with some layers skipped.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A layer does not exist.</exception>
    public LayerPlan Skip(params ReadOnlySpan<int> layers)
    {
        var steps = Layers.ToBuilder();
        foreach (int layer in layers)
        {
            if ((uint)layer >= (uint)Layers.Length)
                throw new ArgumentOutOfRangeException(nameof(layers), layer, $"The plan has layers 0 to {Layers.Length - 1}.");
            steps[layer] = steps[layer] with { Run = false };
        }

        return this with { Layers = steps.ToImmutable() };
    }

    /// <summary>Checks that the plan fits a model.</summary>
    /// <exception cref="ArgumentException">The numbers of layers differ, or the plan skips a layer that changes the width of the stream.</exception>
    internal void Validate(TransformerConfig config, TransformerWeights weights)
    {
        if (Layers.Length != config.LayerCount)
            throw new ArgumentException($"The plan is for {Layers.Length} layers, the model has {config.LayerCount}.");
        for (int layer = 0; layer < Layers.Length; layer++)
        {
            if (!Layers[layer].Run && weights.Layers[layer].ResidualProjection is not null)
                throw new ArgumentException($"Layer {layer} changes the width of the residual stream, so it has to run.");
        }
    }
}
