using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace FastLayers.Kernels.Simd;

/// <summary>Checks at the public entries of row kernels; the throwing code is kept out of them.</summary>
internal static class RowArguments
{
    /// <summary>Throws unless <paramref name="found"/> is <paramref name="expected"/>.</summary>
    /// <exception cref="ArgumentException">They differ.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RequireLength(string operation, int expected, int found, string parameter)
    {
        if (expected != found) ThrowLength(operation, expected, found, parameter);
    }

    /// <summary>Throws if the result overlaps an input without being exactly the same memory.</summary>
    /// <exception cref="ArgumentException">They overlap in part.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RequireSameOrApart(string operation, ReadOnlySpan<float> input, ReadOnlySpan<float> result, string parameter)
    {
        if (input.Overlaps(result, out var offset) && offset != 0) ThrowOverlap(operation, offset, parameter);
    }

    /// <summary>Throws if the result overlaps an input.</summary>
    /// <exception cref="ArgumentException">They overlap.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RequireApart(string operation, ReadOnlySpan<float> input, ReadOnlySpan<float> result, string parameter)
    {
        if (input.Overlaps(result, out var offset)) ThrowOverlap(operation, offset, parameter);
    }

    /// <summary>Throws unless <paramref name="x"/> can be added to and then normalized to <paramref name="y"/>.</summary>
    /// <exception cref="ArgumentException">Lengths differ, y overlaps x, or the parameter, which may be empty, overlaps one of them.</exception>
    public static void RequireResidual(string operation, ReadOnlySpan<float> x, ReadOnlySpan<float> parameter, ReadOnlySpan<float> y)
    {
        if (!parameter.IsEmpty) RequireLength(operation, x.Length, parameter.Length, nameof(parameter));
        RequireLength(operation, x.Length, y.Length, nameof(y));
        RequireApart(operation, x, y, nameof(y));
        RequireApart(operation, parameter, x, nameof(x));
        RequireSameOrApart(operation, parameter, y, nameof(y));
    }

    /// <summary>For the default arm of a switch over <see cref="SimdLevel"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Always.</exception>
    [DoesNotReturn]
    public static void ThrowLevel(SimdLevel level) => throw new ArgumentOutOfRangeException(nameof(level), level, "Expected a defined level.");

    [DoesNotReturn]
    private static void ThrowLength(string operation, int expected, int found, string parameter) =>
        throw new ArgumentException($"{operation}: expected a length of {expected}, found {found}.", parameter);

    [DoesNotReturn]
    private static void ThrowOverlap(string operation, int offset, string parameter) =>
        throw new ArgumentException($"{operation}: the result overlaps the input at an offset of {offset} values.", parameter);
}
