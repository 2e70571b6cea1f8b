using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Elementwise;

/// <summary>
/// Additions and scalings of rows, in place. IEEE arithmetic value by value: NaN and ∞ pass through. Bound by memory: the residual
/// stream is read and written once a call.
/// </summary>
public static unsafe class RowArithmetic
{
    /// <summary>y[i] += x[i].</summary>
    /// <param name="x">The summands; may be <paramref name="y"/> itself.</param>
    /// <param name="y">The row that is added to.</param>
    /// <exception cref="ArgumentException">Lengths differ, or y overlaps x in part.</exception>
    public static void Add(ReadOnlySpan<float> x, Span<float> y) => Add(SimdDispatch.Level, x, y);

    /// <summary>y[i] += factor · x[i].</summary>
    /// <param name="factor">The factor of the summands.</param>
    /// <param name="x">The summands; may be <paramref name="y"/> itself.</param>
    /// <param name="y">The row that is added to.</param>
    /// <exception cref="ArgumentException">Lengths differ, or y overlaps x in part.</exception>
    public static void AddScaled(float factor, ReadOnlySpan<float> x, Span<float> y) => AddScaled(SimdDispatch.Level, factor, x, y);

    /// <summary>y[i] *= factor.</summary>
    /// <param name="factor">The factor.</param>
    /// <param name="y">The row that is scaled.</param>
    public static void Scale(float factor, Span<float> y) => Scale(SimdDispatch.Level, factor, y);

    /// <summary>y[r, i] += bias[i].</summary>
    /// <param name="bias">One summand a column.</param>
    /// <param name="y">The rows that are added to, [rows, columns].</param>
    /// <exception cref="ArgumentException">y is not whole rows of the length of the bias, or overlaps it.</exception>
    public static void AddBias(ReadOnlySpan<float> bias, Span<float> y) => AddBias(SimdDispatch.Level, bias, y);

    internal static void Add(SimdLevel level, ReadOnlySpan<float> x, Span<float> y)
    {
        RowArguments.RequireLength(nameof(RowArithmetic), y.Length, x.Length, nameof(x));
        RowArguments.RequireSameOrApart(nameof(RowArithmetic), x, y, nameof(y));
        fixed (float* source = x, result = y)
        {
            switch (level)
            {
                case SimdLevel.V128: RowArithmeticSimd.Add<Lanes128>(source, result, y.Length); break;
                case SimdLevel.V256: RowArithmeticSimd.Add<Lanes256>(source, result, y.Length); break;
                case SimdLevel.V512: RowArithmeticSimd.Add<Lanes512>(source, result, y.Length); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }

    internal static void AddScaled(SimdLevel level, float factor, ReadOnlySpan<float> x, Span<float> y)
    {
        RowArguments.RequireLength(nameof(RowArithmetic), y.Length, x.Length, nameof(x));
        RowArguments.RequireSameOrApart(nameof(RowArithmetic), x, y, nameof(y));
        fixed (float* source = x, result = y)
        {
            switch (level)
            {
                case SimdLevel.V128: RowArithmeticSimd.AddScaled<Lanes128>(factor, source, result, y.Length); break;
                case SimdLevel.V256: RowArithmeticSimd.AddScaled<Lanes256>(factor, source, result, y.Length); break;
                case SimdLevel.V512: RowArithmeticSimd.AddScaled<Lanes512>(factor, source, result, y.Length); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }

    internal static void Scale(SimdLevel level, float factor, Span<float> y)
    {
        fixed (float* result = y)
        {
            switch (level)
            {
                case SimdLevel.V128: RowArithmeticSimd.Scale<Lanes128>(factor, result, y.Length); break;
                case SimdLevel.V256: RowArithmeticSimd.Scale<Lanes256>(factor, result, y.Length); break;
                case SimdLevel.V512: RowArithmeticSimd.Scale<Lanes512>(factor, result, y.Length); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }

    internal static void AddBias(SimdLevel level, ReadOnlySpan<float> bias, Span<float> y)
    {
        if (y.IsEmpty) return;
        if (bias.IsEmpty || y.Length % bias.Length != 0)
            throw new ArgumentException($"{nameof(RowArithmetic)}: expected whole rows of {bias.Length} columns, found {y.Length} values.", nameof(y));
        RowArguments.RequireApart(nameof(RowArithmetic), bias, y, nameof(y));
        for (var row = 0; row < y.Length; row += bias.Length) Add(level, bias, y.Slice(row, bias.Length));
    }
}
