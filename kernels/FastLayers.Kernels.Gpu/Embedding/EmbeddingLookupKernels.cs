using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Formats;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Embedding;

/// <summary>
/// Rows of an embedding table as floats, one group a token: see <see cref="Kernels.Embedding.EmbeddingLookup"/>. The tokens are on the device; one
/// that is not a row of the table gives a row of NaN.
/// </summary>
internal static class EmbeddingLookupKernels
{
    private const int PreferredGroupSize = 256;

    private static readonly Dictionary<Format, GpuKernel<Arguments>> s_kernels =
        Format.All.ToDictionary(format => format, format => GpuFormats.VisitAny(format, new KernelOf()));

    public static IReadOnlyList<GpuKernel> All { get; } = [.. s_kernels.Values];

    public static IReadOnlyList<GpuOperation> Operations { get; } = [.. Format.All.Select(format => new GpuOperation($"EmbeddingLookup.{format.Name}", (launcher, b) =>
        Launch(launcher, format, b.Matrix("table", format, Kernels.Embedding.EmbeddingLookupCase.TableRows, b.Shape["columns"]), b.Ints("tokens"), Kernels.Embedding.EmbeddingLookupCase.Scale, b.Floats("y"))))];

    /// <summary>Looks rows up.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="format">How the table is stored.</param>
    /// <param name="table">The table.</param>
    /// <param name="tokens">The rows wanted.</param>
    /// <param name="scale">Factor of the values.</param>
    /// <param name="y">Receives the values, [tokens, columns].</param>
    public static void Launch(GpuLauncher launcher, Format format, GpuMatrix table, ArrayView<int> tokens, float scale, ArrayView<float> y)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        if (y.Length != tokens.Length * table.Columns)
            throw new ArgumentException($"Embedding lookup: {tokens.Length} tokens of {table.Columns} columns give {tokens.Length * table.Columns} values, found room for {y.Length}.", nameof(y));
        launcher.Launch(s_kernels[format], new Index3D((int)tokens.Length, 1, 1), launcher.GroupSize(PreferredGroupSize), new Arguments
        {
            Table = table,
            Tokens = tokens,
            Scale = scale,
            Y = y,
        });
    }

    internal static void Blocks<TBlock>(Arguments a)
        where TBlock : struct, IGpuBlock
    {
        int row = a.Tokens[Grid.IdxX];
        bool known = row >= 0 && row < a.Table.Rows;
        var codes = a.Table.RowCodes<TBlock>(known ? row : 0);
        var rest = a.Table.RowRest<TBlock>(known ? row : 0);
        var y = a.Y.SubView((long)Grid.IdxX * a.Table.Columns, a.Table.Columns);
        for (int quad = Group.IdxX; quad < a.Table.Columns / 4; quad += Group.DimX)
        {
            Float4 values = default;
            float scale = float.NaN;
            if (known)
            {
                values = BlockValues.Quad<TBlock>(codes, rest, quad);
                scale = a.Scale;
            }

            y[4 * quad] = scale * values.X;
            y[(4 * quad) + 1] = scale * values.Y;
            y[(4 * quad) + 2] = scale * values.Z;
            y[(4 * quad) + 3] = scale * values.W;
        }
    }

    internal static void Floats<TElement, TFloat>(Arguments a)
        where TElement : unmanaged
        where TFloat : struct, IGpuFloat<TElement>
    {
        TFloat format = default;
        int row = a.Tokens[Grid.IdxX];
        bool known = row >= 0 && row < a.Table.Rows;
        var x = a.Table.RowElements<TElement>(known ? row : 0);
        var y = a.Y.SubView((long)Grid.IdxX * a.Table.Columns, a.Table.Columns);
        for (int i = Group.IdxX; i < a.Table.Columns; i += Group.DimX) y[i] = known ? a.Scale * format.Load(x[i]) : float.NaN;
    }

    internal struct Arguments
    {
        public GpuMatrix Table;
        public ArrayView<int> Tokens;
        public ArrayView<float> Y;
        public float Scale;
    }

    private readonly struct KernelOf : IGpuFormatVisitor<GpuKernel<Arguments>>
    {
        public GpuKernel<Arguments> Visit<TBlock>(Format format) where TBlock : struct, IGpuBlock => new($"EmbeddingLookup.{format.Name}", Blocks<TBlock>);

        public GpuKernel<Arguments> Visit<TElement, TFloat>(Format format)
            where TElement : unmanaged
            where TFloat : struct, IGpuFloat<TElement> => new($"EmbeddingLookup.{format.Name}", Floats<TElement, TFloat>);
    }
}
