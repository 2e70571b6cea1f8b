using System.Runtime.CompilerServices;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;

namespace FastLayers;

/// <content>What every operation asks of its operands.</content>
public abstract partial class Device
{
    private static void RequireMatrix(Format format, long rows, int columns, [CallerMemberName] string operation = "")
    {
        ArgumentNullException.ThrowIfNull(format);
        if (rows < 0 || columns < 0) throw new ArgumentOutOfRangeException(nameof(rows), $"{operation}: a matrix of {rows} x {columns} values has a negative side.");
        if (columns % format.BlockLength != 0) throw new ArgumentException($"{operation}: rows of {columns} values are no whole blocks of {format.Name}, which holds {format.BlockLength}.", nameof(columns));
        var bytes = (Int128)rows * format.RowBytes(columns);
        if (bytes > nint.MaxValue) throw new InsufficientMemoryException($"{operation}: no memory holds the {bytes} bytes of {rows} x {columns} {format.Name} values.");
    }

    private static void RequireCount(int count, string name, string operation)
    {
        if (count < 0) throw new ArgumentOutOfRangeException(name, count, $"{operation}: {name} must not be negative.");
    }

    /// <summary>The tensor is on this device and its memory is there.</summary>
    private void RequireUsable(Tensor tensor, string role, string operation, bool mayBePrepared = false)
    {
        if (tensor is null) throw new ArgumentNullException(role, $"{operation}: {role} is missing.");
        if (tensor.Device != this) throw new ArgumentException($"{operation}: {role} is {tensor}, this device is {Name}.", role);
        if (tensor.Memory.IsDisposed) throw new ObjectDisposedException(role, $"{operation}: {role} {tensor} is disposed.");
        if (tensor.IsPrepared && !mayBePrepared) throw new ArgumentException($"{operation}: {role} {tensor} was prepared to be the weight of products, and serves for nothing else.", role);
    }

    /// <summary>An F32 tensor with at least [rows, columns] values.</summary>
    private void RequireFloats(Tensor tensor, string role, long rows, long columns, [CallerMemberName] string operation = "")
    {
        RequireUsable(tensor, role, operation);
        if (tensor.Format != Format.F32 || tensor.Count < (Int128)rows * columns)
            throw new ArgumentException($"{operation}: {role} is {tensor}, needed is f32 [{rows}, {columns}].", role);
    }

    private void RequireOptionalFloats(Tensor? tensor, string role, long columns, [CallerMemberName] string operation = "")
    {
        if (tensor is not null) RequireFloats(tensor, role, 1, columns, operation);
    }

    private void RequireValues(Tensor tensor, long firstValue, int count, [CallerMemberName] string operation = "")
    {
        RequireUsable(tensor, nameof(tensor), operation);
        if (tensor.Format != Format.F32) throw new ArgumentException($"{operation}: the tensor is {tensor}, needed is f32.", nameof(tensor));
        ArgumentOutOfRangeException.ThrowIfNegative(firstValue);
        if (firstValue > tensor.Count - count)
            throw new ArgumentException($"{operation}: values {firstValue}..{firstValue + count} are not in {tensor}, which holds {tensor.Count}.", nameof(firstValue));
    }

    private static void RequireIndices(ReadOnlySpan<int> indices, long limit, string name, [CallerMemberName] string operation = "")
    {
        for (int i = 0; i < indices.Length; i++)
        {
            if ((uint)indices[i] >= limit) throw new ArgumentOutOfRangeException(name, indices[i], $"{operation}: {name}[{i}] is {indices[i]}, allowed are 0 to {limit - 1}.");
        }
    }

    /// <summary>The pages of all positions that a row writes or sees exist.</summary>
    private static void RequireBatch(in BatchRows batch, KvLayer layer, bool attends, bool windowed, string operation)
    {
        int count = batch.Count;
        RequireLength(batch.Sequences.Length, count, nameof(BatchRows.Sequences), operation);
        if (attends)
        {
            RequireLength(batch.WindowStart.Length, count, nameof(BatchRows.WindowStart), operation);
            RequireLength(batch.End.Length, count, nameof(BatchRows.End), operation);
        }

        if (batch.PagesPerSequence < 0) throw new ArgumentOutOfRangeException(nameof(batch), batch.PagesPerSequence, $"{operation}: the page table has a negative width.");
        long pages = layer.Keys.Rows / ((long)layer.Heads * PagedCache.PageLength);
        for (int row = 0; row < count; row++)
        {
            int sequence = batch.Sequences[row];
            int last = attends ? batch.End[row] - 1 : batch.Positions[row];
            int first = attends ? batch.WindowStart[row] : last;
            if (first < 0 || sequence < 0 || (!attends && last < 0))
                throw new ArgumentOutOfRangeException(nameof(batch), $"{operation}: row {row} has sequence {sequence} and position {Math.Min(first, last)}.");
            if (attends && !windowed) first = 0;
            for (int page = first / PagedCache.PageLength; last >= first && page <= last / PagedCache.PageLength; page++)
            {
                long entry = ((long)sequence * batch.PagesPerSequence) + page;
                if (page >= batch.PagesPerSequence || entry >= batch.PageTable.Length || (ulong)batch.PageTable[(int)entry] >= (ulong)pages)
                    throw new ArgumentException($"{operation}: row {row} needs positions {first} to {last} of sequence {sequence}; the cache has no page {page} of it.", nameof(batch));
            }
        }
    }

    /// <summary>The query heads share the key/value heads of the cache evenly.</summary>
    private static void RequireHeads(in AttentionOptions options, KvLayer layer, string operation)
    {
        if (options.Heads <= 0 || options.Heads % layer.Heads != 0)
            throw new ArgumentException($"{operation}: {options.Heads} query heads are no multiple of the cache's {layer.Heads}.", nameof(options));
    }

    /// <summary>Every sequence of a padded batch has something in it.</summary>
    private static void RequireLengths(ReadOnlySpan<int> lengths, int frames, string operation)
    {
        for (int i = 0; i < lengths.Length; i++)
        {
            if (lengths[i] <= 0) throw new ArgumentException($"{operation}: sequence {i} has no valid frames, its length is {lengths[i]}.", nameof(lengths));
            if (lengths[i] > frames) throw new ArgumentException($"{operation}: sequence {i} has a length of {lengths[i]}, padded are {frames} frames.", nameof(lengths));
        }
    }

    private static void RequireDefined<T>(T value, string operation)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value)) throw new ArgumentOutOfRangeException(nameof(value), value, $"{operation}: there is no such {typeof(T).Name}.");
    }

    /// <summary>The F32 values that an operation writes are none of those that it reads.</summary>
    private static void RequireApart(
        Tensor output, long rows, long columns, Tensor input, long inputRows, long inputColumns,
        [CallerMemberName] string operation = "", [CallerArgumentExpression(nameof(output))] string role = "", [CallerArgumentExpression(nameof(input))] string inputRole = "")
    {
        if (output.Memory != input.Memory) return;
        long end = output.ByteOffset + (rows * columns * sizeof(float)), inputEnd = input.ByteOffset + (inputRows * inputColumns * sizeof(float));
        if (output.ByteOffset < inputEnd && input.ByteOffset < end)
            throw new ArgumentException($"{operation}: {role} {output} overlaps {inputRole} {input}.", role);
    }

    /// <summary>Two tensors [rows, columns] and one value a row of both, [rows, 1], that overlaps neither.</summary>
    private void RequireRowPairs(
        Tensor a, Tensor b, Tensor output, int rows, int columns, [CallerMemberName] string operation = "", [CallerArgumentExpression(nameof(a))] string role = "",
        [CallerArgumentExpression(nameof(b))] string otherRole = "", [CallerArgumentExpression(nameof(output))] string outputRole = "")
    {
        RequireShape(rows, columns, operation);
        RequireFloats(a, role, rows, columns, operation);
        RequireFloats(b, otherRole, rows, columns, operation);
        RequireFloats(output, outputRole, rows, 1, operation);
        RequireApart(output, rows, 1, a, rows, columns, operation, outputRole, role);
        RequireApart(output, rows, 1, b, rows, columns, operation, outputRole, otherRole);
    }

    private static void RequireLength(int found, long expected, string name, string operation)
    {
        if (found != expected) throw new ArgumentException($"{operation}: {name} has {found} entries, {expected} are needed.", name);
    }
}
