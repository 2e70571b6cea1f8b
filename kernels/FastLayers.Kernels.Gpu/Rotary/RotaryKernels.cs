using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Rotary;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Rotary;

/// <summary>Rotation of the heads of tokens in place, one pair a thread: see <see cref="RotaryEmbedding"/>.</summary>
internal static class RotaryKernels
{
    private const int PreferredGroupSize = 128;

    /// <summary>The second dimension of a grid ends there.</summary>
    private const int MaxPairGroups = 32_768;

    public static GpuKernel<Arguments> Kernel { get; } = new("RotaryEmbedding", Tokens);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } = [Operation(RotaryStyle.Adjacent), Operation(RotaryStyle.Halves)];

    /// <summary>Rotates the heads of tokens.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="heads">[tokens, heads, headLength].</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="headCount">Heads a token.</param>
    /// <param name="headLength">Elements a head.</param>
    /// <param name="positions">The row of the tables for each token; empty if token t has row t. A row that the tables lack makes the rotated elements NaN.</param>
    /// <param name="cosine">[table rows, rotatedDimensions / 2].</param>
    /// <param name="sine">Likewise.</param>
    /// <param name="tableRows">Rows of both tables.</param>
    /// <param name="rotatedDimensions">Elements of a head that take part: even, at most <paramref name="headLength"/>.</param>
    /// <param name="style">Which elements form a pair.</param>
    /// <exception cref="ArgumentException">A view is too short, or the sizes do not fit together.</exception>
    public static void Launch(
        GpuLauncher launcher, ArrayView<float> heads, int tokens, int headCount, int headLength, ArrayView<int> positions, ArrayView<float> cosine,
        ArrayView<float> sine, int tableRows, int rotatedDimensions, RotaryStyle style)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        string name = Kernel.Name;
        LaunchArguments.RequireCount(name, nameof(tokens), tokens);
        LaunchArguments.RequireCount(name, nameof(headCount), headCount);
        LaunchArguments.RequireCount(name, nameof(headLength), headLength);
        LaunchArguments.RequireCount(name, nameof(tableRows), tableRows);
        if ((long)headCount * headLength > LaunchArguments.MaxColumns)
            throw new ArgumentException($"{name}: expected at most {LaunchArguments.MaxColumns} elements a token, found {(long)headCount * headLength}.", nameof(headCount));
        LaunchArguments.Require(name, nameof(heads), heads, (long)tokens * headCount * headLength);
        if (rotatedDimensions < 0 || rotatedDimensions > headLength || rotatedDimensions % 2 != 0)
            throw new ArgumentException($"{name}: expected an even number of rotated dimensions from 0 to {headLength}, found {rotatedDimensions}.", nameof(rotatedDimensions));
        int pairs = rotatedDimensions / 2;
        LaunchArguments.RequireOrEmpty(name, nameof(positions), positions, tokens);
        LaunchArguments.Require(name, nameof(cosine), cosine, (long)tableRows * pairs);
        LaunchArguments.Require(name, nameof(sine), sine, (long)tableRows * pairs);
        if (positions.Length == 0 && tableRows < tokens) throw new ArgumentException($"{name}: without positions {tokens} tokens need as many table rows, found {tableRows}.", nameof(tableRows));
        int work = headCount * pairs;
        if (tokens == 0 || work == 0) return;
        int size = launcher.GroupSize(PreferredGroupSize);
        int pairGroups = Math.Min((work + size - 1) / size, Math.Min(MaxPairGroups, Math.Max(1, GridSize.Full(launcher) / tokens)));
        launcher.Launch(Kernel, new Index3D(tokens, pairGroups, 1), size, new Arguments
        {
            Heads = heads,
            Positions = positions.Length > 0 ? positions : heads.Cast<int>(),
            HasPositions = positions.Length > 0 ? 1 : 0,
            Cosine = cosine,
            Sine = sine,
            TableRows = tableRows,
            HeadCount = headCount,
            HeadLength = headLength,
            Pairs = pairs,
            FirstStep = style == RotaryStyle.Adjacent ? 2 : 1,
            SecondOffset = style == RotaryStyle.Adjacent ? 1 : pairs,
        });
    }

    internal static void Tokens(Arguments a)
    {
        int token = Grid.IdxX;
        int position = a.HasPositions != 0 ? a.Positions[token] : token;
        bool exists = position >= 0 && position < a.TableRows;
        long tableRow = exists ? position : 0;
        int rowLength = a.HeadCount * a.HeadLength;
        var row = a.Heads.SubView((long)token * rowLength, rowLength);
        int threads = Grid.DimY * Group.DimX;
        for (int i = (Grid.IdxY * Group.DimX) + Group.IdxX; i < a.HeadCount * a.Pairs; i += threads)
        {
            int head = i / a.Pairs;
            int pair = i - (head * a.Pairs);
            int first = (head * a.HeadLength) + (pair * a.FirstStep);
            int second = first + a.SecondOffset;
            float cosine = float.NaN, sine = float.NaN;
            if (exists)
            {
                cosine = a.Cosine[(tableRow * a.Pairs) + pair];
                sine = a.Sine[(tableRow * a.Pairs) + pair];
            }

            float x = row[first], y = row[second];
            row[first] = (x * cosine) - (y * sine);
            row[second] = (x * sine) + (y * cosine);
        }
    }

    private static GpuOperation Operation(RotaryStyle style) => new($"RotaryEmbedding.{style}", (launcher, b) => Launch(
        launcher, b.Floats("heads"), b.Shape["tokens"], b.Shape["heads"], b.Shape["headLength"], default, b.Floats("cosine"), b.Floats("sine"),
        b.Shape["tokens"], b.Shape["rotated"], style));

    internal struct Arguments
    {
        public ArrayView<float> Heads;
        public ArrayView<int> Positions;
        public ArrayView<float> Cosine;
        public ArrayView<float> Sine;
        public int HasPositions;
        public int TableRows;
        public int HeadCount;
        public int HeadLength;
        public int Pairs;
        public int FirstStep;
        public int SecondOffset;
    }
}
