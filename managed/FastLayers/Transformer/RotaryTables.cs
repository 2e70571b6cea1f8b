using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Rotary;

namespace FastLayers;

/// <summary>The cosines and sines of a model's rotary positions, computed once for a context length and shared by all sessions.</summary>
internal sealed class RotaryTables(TransformerConfig config, Device device) : IDisposable
{
    private readonly List<(int Positions, bool Long, RotaryTable? Global, RotaryTable? Local)> _tables = [];
    private readonly Lock _lock = new();

    /// <summary>Checks that the frequencies of a model can be computed.</summary>
    /// <exception cref="ArgumentException">A base, factor or divisor makes no sense.</exception>
    public static void Validate(TransformerConfig config)
    {
        if (config.Rotary is not { } rotary) return;
        Frequencies(rotary, isLong: false);
        Frequencies(rotary, isLong: true);
        if (config.LocalRotary is { } local) Frequencies(local, isLong: false);
    }

    /// <summary>Number of tables made so far; for tests.</summary>
    internal int Count => _tables.Count;

    /// <summary>Tables for at least <paramref name="contextLength"/> positions.</summary>
    public (RotaryTable? Global, RotaryTable? Local) For(int contextLength)
    {
        if (config.Rotary is not { } rotary) return (null, null);
        bool isLong = rotary.LongFrequencyDivisors is not null && contextLength > rotary.OriginalContext;
        lock (_lock)
        {
            foreach (var (positions, longContext, global, local) in _tables)
            {
                if (positions >= contextLength && longContext == isLong) return (global, local);
            }

            int count = PositionCount(contextLength);
            var tables = (count, isLong, Create(rotary, count, isLong), config.LocalRotary is { } l ? Create(l, count, false) : null);
            _tables.Add(tables);
            return (tables.Item3, tables.Item4);
        }
    }

    /// <summary>
    /// At least double the last, so that growing contexts do not fill the memory with tables; but no more than the model was made for while
    /// that is enough.
    /// </summary>
    private int PositionCount(int contextLength)
    {
        if (_tables.Count == 0) return contextLength;
        long doubled = Math.Min(_tables[^1].Positions * 2L, int.MaxValue);
        return contextLength <= config.ContextLength ? (int)Math.Max(contextLength, Math.Min(doubled, config.ContextLength)) : (int)Math.Max(contextLength, doubled);
    }

    public void Dispose()
    {
        foreach (var (_, _, global, local) in _tables)
        {
            global?.Dispose();
            local?.Dispose();
        }
    }

    private RotaryTable Create(RotaryConfig rotary, int positions, bool isLong)
    {
        int pairs = rotary.Dimensions / 2;
        var frequencies = Frequencies(rotary, isLong);
        var cosines = device.Allocate(Format.F32, positions, pairs);
        var sines = device.Allocate(Format.F32, positions, pairs);
        var cosine = new float[pairs];
        var sine = new float[pairs];
        for (int position = 0; position < positions; position++)
        {
            frequencies.Fill(position, cosine, sine);
            device.Write(cosines, (long)position * pairs, cosine);
            device.Write(sines, (long)position * pairs, sine);
        }

        return new RotaryTable(cosines, sines, rotary.Halves);
    }

    private static RotaryFrequencies Frequencies(RotaryConfig rotary, bool isLong)
    {
        var frequencies = RotaryFrequencies.Create(rotary.Dimensions, rotary.Base);
        if ((isLong ? rotary.LongFrequencyDivisors : rotary.FrequencyDivisors) is { } divisors) frequencies = frequencies.WithFactors([.. divisors]);
        if (rotary.Scaling is { } scaling)
        {
            frequencies = scaling.Kind switch
            {
                RotaryScaling.ScalingKind.Linear => frequencies.WithLinearScaling(scaling.Factor),
                RotaryScaling.ScalingKind.Yarn => frequencies.WithYarn(scaling.Factor, scaling.OriginalContext, scaling.BetaFast, scaling.BetaSlow, scaling.Extrapolation),
                _ => frequencies.WithLlama3Scaling(scaling.Factor, scaling.OriginalContext, scaling.LowFrequencyFactor, scaling.HighFrequencyFactor),
            };
        }

        return rotary.Magnitude == 1 ? frequencies : frequencies.WithMagnitude(frequencies.Magnitude * rotary.Magnitude);
    }
}
