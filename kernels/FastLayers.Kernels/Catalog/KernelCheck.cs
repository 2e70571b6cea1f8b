using System.Globalization;

namespace FastLayers.Kernels.Catalog;

/// <summary>The outcome of comparing a kernel with its definition.</summary>
/// <param name="Error">The largest normalized mean square error of a float output; ∞ where outputs cannot be compared by it.</param>
/// <param name="Failure">What is wrong, or null if the kernel is right within the tolerance.</param>
public readonly record struct KernelOutcome(double Error, string? Failure);

/// <summary>Compares kernels with their definitions.</summary>
public static class KernelCheck
{
    /// <summary>Runs one case on a device and compares every output, and every input, with the definition's.</summary>
    /// <param name="runner">The device.</param>
    /// <param name="operation">The catalog entry.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="seed">Decides the content of the inputs.</param>
    public static KernelOutcome Run(IKernelRunner runner, KernelOperation operation, KernelShape shape, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(runner);
        ArgumentNullException.ThrowIfNull(operation);
        var actual = operation.Prepare(shape, seed);
        var expected = actual.Clone();
        operation.Reference(expected);
        runner.Run(operation, actual);

        double worst = 0;
        foreach (var buffer in actual.Buffers)
        {
            var reference = expected[buffer.Name];
            if (!buffer.GuardsAreIntact) return Fail($"wrote beside buffer '{buffer.Name}'");
            if (buffer.ElementType != typeof(float) || buffer.Role == KernelBufferRole.Input)
            {
                var place = buffer.Bytes.CommonPrefixLength(reference.Bytes);
                if (place == buffer.ByteLength) continue;
                return Fail(buffer.Role == KernelBufferRole.Input
                    ? $"changed the input '{buffer.Name}' at byte {place}"
                    : $"'{buffer.Name}' differs at byte {place}: expected {reference.Bytes[place]}, found {buffer.Bytes[place]}");
            }

            var error = Error(buffer.Elements<float>(), reference.Elements<float>(), operation.Magnitude);
            worst = Math.Max(worst, error);
            if (!(error <= operation.Tolerance))
            {
                return new(error, string.Create(
                    CultureInfo.InvariantCulture,
                    $"{operation.Name} [{shape}] on {runner.Device}: '{buffer.Name}' has an error of {error:g3}, allowed is {operation.Tolerance:g3}"));
            }
        }

        return new(worst, null);

        KernelOutcome Fail(string what) => new(double.PositiveInfinity, $"{operation.Name} [{shape}] on {runner.Device}: {what}");
    }

    /// <summary>
    /// Σ(y - r)² / Σr². Where r is NaN or infinite, y must be the same, or the error is ∞; such values do not enter the sums. Zeros only
    /// must come out as zeros.
    /// </summary>
    /// <param name="actual">The values y.</param>
    /// <param name="reference">The values r.</param>
    /// <param name="magnitude">If positive, Σr² counts as no less than that many values of this size give: see <see cref="KernelOperation.Magnitude"/>.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double Error(ReadOnlySpan<float> actual, ReadOnlySpan<float> reference, double magnitude = 0)
    {
        Simd.RowArguments.RequireLength(nameof(KernelCheck), reference.Length, actual.Length, nameof(actual));
        double difference = 0, power = 0;
        for (var i = 0; i < reference.Length; i++)
        {
            if (!float.IsFinite(reference[i]) || !float.IsFinite(actual[i]))
            {
                if (!actual[i].Equals(reference[i])) return double.PositiveInfinity;
                continue;
            }

            difference += ((double)actual[i] - reference[i]) * ((double)actual[i] - reference[i]);
            power += (double)reference[i] * reference[i];
        }

        return difference == 0 ? 0 : difference / Math.Max(power, magnitude * magnitude * reference.Length);
    }
}
