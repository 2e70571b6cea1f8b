using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.Emit;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// A matrix with eight rows interleaved, so that one multiply-add serves eight outputs. A tile of eight rows is one piece of memory. Of a block
/// format a vector of 32 bytes holds four columns of each row: first codes of 32 columns after 32 columns, then scales block after block; both
/// keep their bits, so that the matrix takes about as much memory as in its file. Of a float format a vector holds one column of each row.
/// </summary>
public abstract unsafe class InterleavedLayout
{
    /// <summary>Rows of a tile.</summary>
    public const int TileRows = 8;

    private const int Alignment = 64;

    private static readonly InterleavedLayout[] s_all =
    [
        new InterleavedLayout<FourBitCodes<Eight>, HalfScales>(Format.Q4_0),
        new InterleavedLayout<FourBitCodes<Zero>, HalfScalesAndMinimums>(Format.Q4_1),
        new InterleavedLayout<FiveBitCodes<Sixteen>, HalfScales>(Format.Q5_0),
        new InterleavedLayout<FiveBitCodes<Zero>, HalfScalesAndMinimums>(Format.Q5_1),
        new InterleavedLayout<EightBitCodes, HalfScales>(Format.Q8_0),
        new InterleavedLayout<TwoBitCodes<Zero>, FourBitSuperScales>(Format.Q2_K),
        new InterleavedLayout<ThreeBitCodes, SignedSuperScales<SuperQ3_K>>(Format.Q3_K),
        new InterleavedLayout<FourBitCodes<Zero>, SixBitSuperScales>(Format.Q4_K),
        new InterleavedLayout<FiveBitCodes<Zero>, SixBitSuperScales>(Format.Q5_K),
        new InterleavedLayout<SixBitCodes, SignedSuperScales<SuperQ6_K>>(Format.Q6_K),
        new InterleavedLayout<UnevenCodes, HalfScales>(Format.IQ4_NL),
        new InterleavedLayout<UnevenCodes, SignedSuperScales<SuperIQ4_XS>>(Format.IQ4_XS),
        new InterleavedLayout<E2M1Codes, ExponentScales>(Format.MXFP4),
        new InterleavedLayout<TwoBitCodes<One>, TernaryScales>(Format.TQ2_0),
        new InterleavedFloatLayout<InterleavedF32>(Format.F32),
        new InterleavedFloatLayout<InterleavedF16>(Format.F16),
        new InterleavedFloatLayout<InterleavedBF16>(Format.BF16),
    ];

    private protected InterleavedLayout(Format format) => Format = format;

    /// <summary>How the rows are stored before.</summary>
    public Format Format { get; }

    /// <summary>Whether this processor has the instructions that the layout is made for (AVX2).</summary>
    public static bool IsSupported => Avx2.IsSupported;

    /// <summary>The layout for a format, or null if it has none or the processor does not do it.</summary>
    public static InterleavedLayout? For(Format format)
    {
        if (!IsSupported) return null;
        foreach (var layout in s_all)
        {
            if (layout.Format == format) return layout;
        }

        return null;
    }

    /// <summary>Bytes that a matrix takes.</summary>
    /// <exception cref="ArgumentException">The columns are no multiple of the format's block, or a count is negative.</exception>
    public long Bytes(long rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        Format.RowBytes(columns);
        return checked(Tiles(rows) * TileBytes(columns));
    }

    /// <summary>Interleaves the rows of a matrix.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="weights">The matrix [rows, columns] in <see cref="Format"/>.</param>
    /// <param name="rows">Rows; those that a last tile lacks are filled with zeros.</param>
    /// <param name="columns">Columns; whole blocks.</param>
    /// <param name="target">Receives <see cref="Bytes"/> bytes, 64-byte aligned.</param>
    public void Interleave(WorkerPool pool, byte* weights, long rows, int columns, byte* target)
    {
        ArgumentNullException.ThrowIfNull(pool);
        Bytes(rows, columns);
        pool.Run(new InterleaveWork(this, weights, rows, columns, target), Tiles(rows));
    }

    /// <summary>Whether activations enter products rounded to 8 bit: always for block formats, never for float formats.</summary>
    public abstract bool RoundsActivations { get; }

    /// <summary>Memory for the activations of a product.</summary>
    public abstract long ActivationBytes(int rows, int columns);

    /// <summary>Brings activations into the order, and the precision, in which the products read them.</summary>
    internal abstract void Arrange(WorkerPool pool, float* input, int rows, int columns, byte* memory);

    /// <summary>
    /// Multiplies with tiles <paramref name="start"/> to <paramref name="end"/> (exclusive); <see cref="MatMulArguments.Weights"/> are interleaved,
    /// and the activations were arranged in <paramref name="memory"/>.
    /// </summary>
    internal abstract void Multiply(WorkerPool pool, in MatMulArguments arguments, byte* memory, int start, int end, int worker);

    /// <summary>The same by an emitted kernel.</summary>
    internal virtual void Multiply(EmittedKernel kernel, in MatMulArguments arguments, byte* memory, int start, int end) =>
        throw new NotSupportedException($"No kernels are emitted for {Format.Name}.");

    /// <summary>Bytes of a tile.</summary>
    internal long TileBytes(int columns) => (CodeBytes(columns) + ScaleBytes(columns) + Alignment - 1) / Alignment * Alignment;

    private protected abstract long CodeBytes(int columns);

    private protected abstract long ScaleBytes(int columns);

    private protected abstract void StoreRow(byte* row, int columns, sbyte* codes, int index, byte* tile);

    /// <summary>Tiles of a matrix.</summary>
    internal static int Tiles(long rows) => checked((int)((rows + TileRows - 1) / TileRows));

    private readonly struct InterleaveWork(InterleavedLayout layout, byte* weights, long rows, int columns, byte* target) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            long rowBytes = layout.Format.RowBytes(columns);
            long tileBytes = layout.TileBytes(columns);
            sbyte* codes = stackalloc sbyte[layout.Format.BlockLength];
            for (int tile = start; tile < end; tile++)
            {
                byte* place = target + (tile * tileBytes);
                new Span<byte>(place, (int)tileBytes).Clear();
                for (int index = 0; index < TileRows && ((long)tile * TileRows) + index < rows; index++)
                    layout.StoreRow(weights + ((((long)tile * TileRows) + index) * rowBytes), columns, codes, index, place);
            }
        }
    }
}

/// <summary>A layout with its kernel.</summary>
internal sealed unsafe class InterleavedLayout<TCodes, TScales>(Format format) : InterleavedLayout(format)
    where TCodes : struct, IInterleavedCodes
    where TScales : struct, IInterleavedScales
{
    private const int BlockLength = QuantizedActivations.BlockLength;

    public override bool RoundsActivations => true;

    public override long ActivationBytes(int rows, int columns) => InterleavedActivations.Bytes(rows, columns);

    internal override void Arrange(WorkerPool pool, float* input, int rows, int columns, byte* memory) => new InterleavedActivations(memory, rows, columns).Quantize(pool, input);

    internal override void Multiply(WorkerPool pool, in MatMulArguments arguments, byte* memory, int start, int end, int worker)
    {
        if (EmittedKernels.For(Format, arguments.Code) is { } kernel)
        {
            Multiply(kernel, arguments, memory, start, end);
            return;
        }

        var activations = new InterleavedActivations(memory, arguments.Rows, arguments.Columns);
        new InterleavedProduct<TCodes, TScales>(arguments, activations, TileBytes(arguments.Columns), CodeBytes(arguments.Columns)).Execute(start, end);
    }

    internal override void Multiply(EmittedKernel kernel, in MatMulArguments arguments, byte* memory, int start, int end)
    {
        var activations = new InterleavedActivations(memory, arguments.Rows, arguments.Columns);
        new EmittedProduct(kernel, arguments, activations, TileBytes(arguments.Columns), CodeBytes(arguments.Columns)).Execute(start, end);
    }

    private protected override long CodeBytes(int columns) => (long)columns / BlockLength * TCodes.Bytes;

    private protected override long ScaleBytes(int columns) => (long)columns / TScales.Columns * TScales.Bytes;

    private protected override void StoreRow(byte* row, int columns, sbyte* codes, int index, byte* tile)
    {
        int length = Format.BlockLength;
        int groups = length / Format.GroupLength;
        float* scales = stackalloc float[2 * groups];
        byte* unit = tile + CodeBytes(columns);
        var offset = Vector256.Create((sbyte)TCodes.Offset);
        for (int column = 0; column < columns; column += length, row += Format.BlockBytes, unit += TScales.Bytes)
        {
            Format.Unpack(new ReadOnlySpan<byte>(row, Format.BlockBytes), new Span<sbyte>(codes, length), new Span<float>(scales, groups), new Span<float>(scales + groups, groups));
            TScales.Store(row, index, unit);
            for (int i = 0; i < length; i += BlockLength, tile += TCodes.Bytes)
            {
                (Vector256.Load(codes + i) + offset).Store(codes + i);
                TCodes.Store((uint*)(codes + i), (uint*)tile + index);
            }
        }
    }
}
