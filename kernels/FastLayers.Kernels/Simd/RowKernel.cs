namespace FastLayers.Kernels.Simd;

/// <summary>A kernel from one row to another of the same length, written once for every register width.</summary>
/// <typeparam name="TParameter">What the kernel needs beside the row.</typeparam>
internal unsafe interface IRowKernel<TParameter>
{
    /// <summary>One row; the result may be the row that is read.</summary>
    static abstract void Row<TLanes>(float* x, TParameter parameter, float* y, int length) where TLanes : unmanaged, ILanes<TLanes>;
}

/// <summary>The public entry of every <see cref="IRowKernel{TParameter}"/>: checks, then the choice of the width.</summary>
internal static unsafe class RowKernel
{
    /// <summary>Runs a kernel at one width.</summary>
    /// <exception cref="ArgumentException">Lengths differ, or y overlaps x in part.</exception>
    public static void Run<TKernel, TParameter>(string operation, SimdLevel level, ReadOnlySpan<float> x, TParameter parameter, Span<float> y)
        where TKernel : struct, IRowKernel<TParameter>
    {
        RowArguments.RequireLength(operation, x.Length, y.Length, nameof(y));
        RowArguments.RequireSameOrApart(operation, x, y, nameof(y));
        fixed (float* source = x, result = y)
        {
            switch (level)
            {
                case SimdLevel.V128: TKernel.Row<Lanes128>(source, parameter, result, x.Length); break;
                case SimdLevel.V256: TKernel.Row<Lanes256>(source, parameter, result, x.Length); break;
                case SimdLevel.V512: TKernel.Row<Lanes512>(source, parameter, result, x.Length); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }
}
