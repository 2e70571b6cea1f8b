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
