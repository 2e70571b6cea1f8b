using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Pooling;

namespace FastLayers;

/// <summary>How activations enter a product with a block-quantized matrix.</summary>
public enum ActivationPrecision
{
    /// <summary>Rounded to 8 bit in blocks of 32, products in integers: the fast way, relative error about 0.5 % an activation.</summary>
    Int8,

    /// <summary>Kept in float32, weights decoded: the exact way.</summary>
    Float32,
}

/// <summary>
/// What a device must do for a transformer: layer-sized operations on tensors in its memory. All activations are F32 matrices
/// [rows, columns]; <c>rows</c> arguments say how many of a tensor's rows take part, so that one allocation serves batches of any size.
/// Operations run in order; results are visible to the host after <see cref="Read"/>.
/// </summary>
public abstract class Device : IDisposable
{
    private static readonly Lazy<CpuDevice> s_cpu = new(CpuDevice.CreateShared);

    /// <summary>The processor, with one thread a core. The whole process shares it: disposing it does nothing.</summary>
    public static CpuDevice Cpu => s_cpu.Value;

    /// <summary>A short name such as <c>cpu</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What the device is, in words.</summary>
    public abstract string Description { get; }

    /// <summary>Memory of the device in bytes.</summary>
    public abstract long MemoryBytes { get; }

    /// <summary>Allocates a matrix of zeros.</summary>
    public abstract Tensor Allocate(Format format, long rows, int columns);

    /// <summary>Makes a matrix out of bytes of a mapped file; the CPU uses them in place, so the mapping must outlive the tensor.</summary>
    public abstract unsafe Tensor FromMapped(Format format, long rows, int columns, byte* bytes);

    /// <summary>Copies the first values of an F32 tensor to the host, waiting for all operations before.</summary>
    /// <exception cref="ArgumentException">More values than the tensor has.</exception>
    public abstract void Read(Tensor source, long firstValue, Span<float> values);

    /// <summary>Copies values from the host into an F32 tensor.</summary>
    /// <exception cref="ArgumentException">More values than the tensor has.</exception>
    public abstract void Write(Tensor target, long firstValue, ReadOnlySpan<float> values);

    /// <summary>Copies rows between tensors of one format and width on this device.</summary>
    public abstract void Copy(Tensor source, long sourceRow, Tensor target, long targetRow, long rows);

    /// <summary>Sets <paramref name="rows"/> rows of <paramref name="columns"/> values to zero.</summary>
    public abstract void Clear(Tensor target, int rows, int columns);

    /// <summary>Decodes rows <paramref name="ids"/> of a table of any format: <c>output[r] = scale · table[ids[r]]</c>.</summary>
    public abstract void Embed(Tensor table, ReadOnlySpan<int> ids, float scale, Tensor output);

    /// <summary><c>output = input · weightᵀ (+ bias)</c>, weight [outputs, inputs] in any format.</summary>
    public abstract void MatMul(Tensor weight, Tensor? bias, Tensor input, Tensor output, int rows, ActivationPrecision precision);

    /// <summary>Root-mean-square norm of each of <paramref name="rows"/> rows of <paramref name="columns"/> values; in place if output is input.</summary>
    public abstract void RmsNorm(Tensor input, Tensor? weight, float epsilon, Tensor output, int rows, int columns);

    /// <summary>Layer norm of each row; in place if output is input.</summary>
    public abstract void LayerNorm(Tensor input, Tensor? weight, Tensor? bias, float epsilon, Tensor output, int rows, int columns);

    /// <summary>Scales each row to length 1 (Euclidean); in place if output is input.</summary>
    public abstract void L2Normalize(Tensor input, Tensor output, int rows, int columns);

    /// <summary>Pools all rows to one.</summary>
    public abstract void Pool(PoolingKind kind, Tensor input, Tensor output, int rows, int columns);

    /// <summary>Rotates the heads of each row by its position, in place.</summary>
    public abstract void Rotate(Tensor values, ReadOnlySpan<int> positions, int heads, int headSize, RotaryTable table);

    /// <summary>Stores new keys and values in the cache of one layer.</summary>
    public abstract void AppendKv(KvLayer layer, in BatchRows batch, Tensor keys, Tensor values);

    /// <summary>Attention of each row's queries over the cache of one layer.</summary>
    public abstract void Attend(KvLayer layer, in BatchRows batch, in AttentionOptions options, Tensor query, Tensor output);

    /// <summary>Elementwise activation, or <c>activation(gate) · up</c> if <paramref name="up"/> is given; in place if output is gate.</summary>
    public abstract void Activate(ActivationKind kind, Tensor gate, Tensor? up, Tensor output, int rows, int columns);

    /// <summary><c>target += factor · source</c>.</summary>
    public abstract void Add(Tensor target, Tensor source, float factor, int rows, int columns);

    /// <summary><c>values = cap · tanh(values / cap)</c>.</summary>
    public abstract void SoftCap(Tensor values, float cap, int rows, int columns);

    /// <summary>Copies rows: <c>output[r] = input[indices[r]]</c>.</summary>
    public abstract void GatherRows(Tensor input, ReadOnlySpan<int> indices, Tensor output, int columns);

    /// <summary>Adds weighted rows: <c>target[indices[r]] += weights[r] · source[r]</c>; indices are distinct.</summary>
    public abstract void ScatterAddRows(Tensor source, ReadOnlySpan<int> indices, ReadOnlySpan<float> weights, Tensor target, int columns);

    /// <summary>
    /// Chooses the experts of each row from router logits [rows, experts]: softmax, the <paramref name="used"/> largest (lowest index
    /// first among equals), optionally scaled to sum to 1. Results are [rows, used] on the host.
    /// </summary>
    public abstract void RouteExperts(Tensor logits, int rows, int experts, int used, bool renormalize, Span<int> ids, Span<float> weights);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the device holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>Which token each row of a batch is: its sequence in the page table, its position, and the positions that it may see.</summary>
public readonly ref struct BatchRows
{
    /// <summary>Slot of each row's sequence in the page table.</summary>
    public required ReadOnlySpan<int> Sequences { get; init; }

    /// <summary>Position of each row in its sequence.</summary>
    public required ReadOnlySpan<int> Positions { get; init; }

    /// <summary>First position that each row sees where the layer has a window; without one it is 0.</summary>
    public required ReadOnlySpan<int> WindowStart { get; init; }

    /// <summary>One past the last position that each row sees.</summary>
    public required ReadOnlySpan<int> End { get; init; }

    /// <summary>Page numbers, [sequences, pages a sequence].</summary>
    public required ReadOnlySpan<int> PageTable { get; init; }

    /// <summary>Width of the page table.</summary>
    public required int PagesPerSequence { get; init; }

    /// <summary>Number of rows.</summary>
    public int Count => Positions.Length;
}

/// <summary>How a layer attends.</summary>
/// <param name="Heads">Number of query heads.</param>
/// <param name="Scale">Factor of the scores.</param>
/// <param name="SoftCap">If positive, the cap of the scores.</param>
/// <param name="Windowed">Whether a row sees only positions from <see cref="BatchRows.WindowStart"/> on.</param>
public readonly record struct AttentionOptions(int Heads, float Scale, float SoftCap, bool Windowed);

/// <summary>The key/value memory of one layer: pages as rows of two matrices.</summary>
public sealed class KvLayer
{
    internal KvLayer(Tensor keys, Tensor values, int heads)
    {
        Keys = keys;
        Values = values;
        Heads = heads;
    }

    /// <summary>[pages · heads · page length, key size].</summary>
    public Tensor Keys { get; internal set; }

    /// <summary>[pages · heads · page length, value size].</summary>
    public Tensor Values { get; internal set; }

    /// <summary>Number of key/value heads.</summary>
    public int Heads { get; }
}

/// <summary>Cosines and sines of the rotary embedding for all positions below <see cref="Positions"/>.</summary>
public sealed class RotaryTable : IDisposable
{
    /// <summary>Creates a table.</summary>
    /// <param name="cosines">[positions, pairs], magnitude included.</param>
    /// <param name="sines">[positions, pairs], magnitude included.</param>
    /// <param name="halves">Whether pairs are (i, i + pairs) — the NeoX style — rather than (2i, 2i + 1).</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public RotaryTable(Tensor cosines, Tensor sines, bool halves)
    {
        ArgumentNullException.ThrowIfNull(cosines);
        ArgumentNullException.ThrowIfNull(sines);
        if (cosines.Rows != sines.Rows || cosines.Columns != sines.Columns) throw new ArgumentException($"Cosines {cosines} and sines {sines} differ in shape.", nameof(sines));
        Cosines = cosines;
        Sines = sines;
        Halves = halves;
    }

    /// <summary>[positions, pairs].</summary>
    public Tensor Cosines { get; }

    /// <summary>[positions, pairs].</summary>
    public Tensor Sines { get; }

    /// <summary>Whether pairs are (i, i + pairs).</summary>
    public bool Halves { get; }

    /// <summary>Number of positions.</summary>
    public int Positions => (int)Cosines.Rows;

    /// <summary>Rotated pairs a head; values beyond twice that stay.</summary>
    public int Pairs => Cosines.Columns;

    /// <inheritdoc/>
    public void Dispose()
    {
        Cosines.Dispose();
        Sines.Dispose();
    }
}
