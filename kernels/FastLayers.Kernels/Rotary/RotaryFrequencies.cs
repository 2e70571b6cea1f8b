namespace FastLayers.Kernels.Rotary;

/// <summary>
/// The angle per position of every pair of a rotated head, and the factor that some scaling methods put on the result. Pair i turns by
/// position · <see cref="Inverse"/>[i]. Immutable: each method gives a changed copy, in double precision.
/// </summary>
public sealed class RotaryFrequencies
{
    private readonly double[] _inverse;

    private RotaryFrequencies(double[] inverse, double frequencyBase, double magnitude)
    {
        _inverse = inverse;
        Base = frequencyBase;
        Magnitude = magnitude;
    }

    /// <summary>Radians a position, one for each pair.</summary>
    public ReadOnlySpan<double> Inverse => _inverse;

    /// <summary>The base that the frequencies were made from.</summary>
    public double Base { get; }

    /// <summary>Factor of cosines and sines; 1 unless a scaling method sets another.</summary>
    public double Magnitude { get; }

    /// <summary>Elements of a head that are rotated: two for each pair.</summary>
    public int RotatedDimensions => 2 * _inverse.Length;

    /// <summary>The plain frequencies base^(-2i/d), i = 0 … d/2 - 1 (Su et al., arXiv:2104.09864).</summary>
    /// <param name="rotatedDimensions">d: even and positive.</param>
    /// <param name="frequencyBase">The base, above 1; 10,000 in the paper.</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter lies outside its range.</exception>
    public static RotaryFrequencies Create(int rotatedDimensions, double frequencyBase)
    {
        if (rotatedDimensions <= 0 || rotatedDimensions % 2 != 0)
            throw new ArgumentOutOfRangeException(nameof(rotatedDimensions), rotatedDimensions, "Expected a positive even number.");
        if (!(frequencyBase > 1) || double.IsInfinity(frequencyBase))
            throw new ArgumentOutOfRangeException(nameof(frequencyBase), frequencyBase, "Expected a finite number above 1.");
        var inverse = new double[rotatedDimensions / 2];
        for (var i = 0; i < inverse.Length; i++) inverse[i] = Math.Pow(frequencyBase, -2.0 * i / rotatedDimensions);
        return new(inverse, frequencyBase, 1);
    }

    /// <summary>Position interpolation: every frequency divided by <paramref name="factor"/> (Chen et al., arXiv:2306.15595).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The factor is not positive and finite.</exception>
    public RotaryFrequencies WithLinearScaling(double factor)
    {
        RequirePositive(factor, nameof(factor));
        return With(frequency => frequency / factor, Magnitude);
    }

    /// <summary>Divides frequency i by factor i, as the <c>rope_freqs</c> tensor of GGUF files and LongRoPE (arXiv:2402.13753) do.</summary>
    /// <param name="factors">One positive factor for each pair.</param>
    /// <exception cref="ArgumentException">Their number differs from the number of pairs.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A factor is not positive and finite.</exception>
    public RotaryFrequencies WithFactors(ReadOnlySpan<float> factors)
    {
        if (factors.Length != _inverse.Length)
            throw new ArgumentException($"Expected {_inverse.Length} factors, found {factors.Length}.", nameof(factors));
        var inverse = new double[_inverse.Length];
        for (var i = 0; i < inverse.Length; i++)
        {
            RequirePositive(factors[i], nameof(factors));
            inverse[i] = _inverse[i] / factors[i];
        }

        return new(inverse, Base, Magnitude);
    }

    /// <summary>The same frequencies with another magnitude, for files that state it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The magnitude is not positive and finite.</exception>
    public RotaryFrequencies WithMagnitude(double magnitude)
    {
        RequirePositive(magnitude, nameof(magnitude));
        return new(_inverse, Base, magnitude);
    }

    /// <summary>
    /// YaRN (Peng et al., arXiv:2309.00071, section 3.2): pairs that turn often within the original context keep their frequency, pairs that
    /// turn seldom have it divided by <paramref name="factor"/>, a linear ramp over the pair number lies between.
    /// </summary>
    /// <param name="factor">Context extension s, at least 1.</param>
    /// <param name="originalContext">Positions that the model was trained on.</param>
    /// <param name="betaFast">Turns within the original context from which on a frequency is kept.</param>
    /// <param name="betaSlow">Turns up to which a frequency is divided.</param>
    /// <param name="extrapolation">How much of the ramp is applied: 1 is YaRN, 0 is plain linear scaling with magnitude 1.</param>
    /// <param name="magnitude">Factor of cosines and sines; null for the paper's 0.1·ln s + 1 (1 without extrapolation).</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter lies outside its range.</exception>
    public RotaryFrequencies WithYarn(
        double factor, int originalContext, double betaFast = 32, double betaSlow = 1, double extrapolation = 1, double? magnitude = null)
    {
        RequirePositive(factor, nameof(factor));
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(originalContext);
        RequirePositive(betaFast, nameof(betaFast));
        RequirePositive(betaSlow, nameof(betaSlow));
        if (magnitude is double given) RequirePositive(given, nameof(magnitude));
        if (!(extrapolation is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(extrapolation), extrapolation, "Expected a number from 0 to 1.");

        var low = Math.Max(Math.Floor(PairTurning(betaFast, originalContext)), 0);
        var high = Math.Min(Math.Ceiling(PairTurning(betaSlow, originalContext)), RotatedDimensions - 1);
        var inverse = new double[_inverse.Length];
        for (var i = 0; i < inverse.Length; i++)
        {
            // 1 for pairs below low, 0 above high. A ramp of no width is a step.
            var kept = 1 - Math.Clamp((i - low) / Math.Max(high - low, 0.001), 0, 1);
            kept *= extrapolation;
            inverse[i] = _inverse[i] / factor * (1 - kept) + _inverse[i] * kept;
        }

        var implied = extrapolation == 0 ? 1 : 0.1 * Math.Log(factor) + 1;
        return new(inverse, Base, magnitude ?? implied);
    }

    /// <summary>
    /// The scaling of Llama 3.1: wavelengths below context / highFrequencyFactor are kept, those above context / lowFrequencyFactor have
    /// their frequency divided by <paramref name="factor"/>, and those between are blended linearly in context / wavelength.
    /// </summary>
    /// <param name="factor">Context extension, positive; 8 in Llama 3.1, 32 in the small 3.2 models.</param>
    /// <param name="originalContext">Positions that the model was trained on before; 8,192.</param>
    /// <param name="lowFrequencyFactor">Turns within the context up to which a frequency is divided.</param>
    /// <param name="highFrequencyFactor">Turns from which on a frequency is kept; above <paramref name="lowFrequencyFactor"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter lies outside its range.</exception>
    public RotaryFrequencies WithLlama3Scaling(
        double factor, int originalContext, double lowFrequencyFactor = 1, double highFrequencyFactor = 4)
    {
        RequirePositive(factor, nameof(factor));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(originalContext);
        RequirePositive(lowFrequencyFactor, nameof(lowFrequencyFactor));
        RequirePositive(highFrequencyFactor, nameof(highFrequencyFactor));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(highFrequencyFactor, lowFrequencyFactor);
        return With(
            frequency =>
            {
                var turns = originalContext * frequency / (2 * Math.PI);
                var kept = Math.Clamp((turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor), 0, 1);
                return frequency / factor * (1 - kept) + frequency * kept;
            },
            Magnitude);
    }

    /// <summary>The magnitude of LongRoPE, √(1 + ln s / ln originalContext) for a context extension s above 1, else 1 (arXiv:2402.13753).</summary>
    /// <exception cref="ArgumentOutOfRangeException">A context is not positive, or the original one is 1.</exception>
    public static double LongRopeMagnitude(int context, int originalContext)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(context);
        ArgumentOutOfRangeException.ThrowIfLessThan(originalContext, 2);
        var extension = (double)context / originalContext;
        return extension <= 1 ? 1 : Math.Sqrt(1 + Math.Log(extension) / Math.Log(originalContext));
    }

    /// <summary>Writes <see cref="Magnitude"/> times the cosine and sine of every pair at one position.</summary>
    /// <param name="position">The position; negative ones turn back.</param>
    /// <param name="cosine">Receives one cosine a pair.</param>
    /// <param name="sine">Receives one sine a pair.</param>
    /// <exception cref="ArgumentException">A length differs from the number of pairs.</exception>
    public void Fill(long position, Span<float> cosine, Span<float> sine)
    {
        Simd.RowArguments.RequireLength(nameof(RotaryFrequencies), _inverse.Length, cosine.Length, nameof(cosine));
        Simd.RowArguments.RequireLength(nameof(RotaryFrequencies), _inverse.Length, sine.Length, nameof(sine));
        for (var i = 0; i < _inverse.Length; i++)
        {
            var (s, c) = Math.SinCos(position * _inverse[i]);
            cosine[i] = (float)(c * Magnitude);
            sine[i] = (float)(s * Magnitude);
        }
    }

    /// <summary>The (fractional) pair that turns <paramref name="turns"/> times within <paramref name="context"/> positions.</summary>
    private double PairTurning(double turns, int context) =>
        RotatedDimensions * Math.Log(context / (turns * 2 * Math.PI)) / (2 * Math.Log(Base));

    private RotaryFrequencies With(Func<double, double> change, double magnitude) => new(Array.ConvertAll(_inverse, f => change(f)), Base, magnitude);

    private static void RequirePositive(double value, string parameter)
    {
        if (!(value > 0) || double.IsInfinity(value))
            throw new ArgumentOutOfRangeException(parameter, value, "Expected a positive finite number.");
    }
}
