using FastLayers.Kernels.Formats;
using FastLayers.Loading;

namespace FastLayers.Architectures;

/// <summary>
/// Finds tensors by their GGUF names, checks their shapes, and places them on a device. Matrices stay in the mapped file where the device
/// allows; what must be changed first (transposed, fused biases cut, norms stored less one) is decoded to F32.
/// </summary>
internal sealed unsafe class WeightReader(ModelFile file, Device device, HuggingFaceNames? names, ActivationPrecision precision)
{
    private readonly List<Tensor> _owned = [];
    private readonly HashSet<TensorEntry> _used = [];

    /// <summary>Tensors made here, to be freed with the model.</summary>
    public IReadOnlyList<Tensor> Owned => _owned;

    /// <summary>The tensors of the file that were asked for; a file may hold others.</summary>
    public IReadOnlyCollection<TensorEntry> Used => _used;

    public bool Has(string name) => Find(name) is not null;

    /// <summary>Rows and columns of a matrix, without placing it.</summary>
    public (long Rows, long Columns) Shape(string name) => Extent(Required(name));

    /// <summary>A matrix [rows, columns].</summary>
    public Tensor Matrix(string name, long rows, long columns, int expert = 0)
    {
        var entry = Required(name, expert);
        bool transposed = names?.TransposesLinear(name) ?? false;
        Check(entry, transposed ? [columns, rows] : [rows, columns]);
        if (!transposed) return Place(entry, rows, columns);

        var values = Decode(entry);
        var turned = new float[values.Length];
        for (long r = 0; r < rows; r++)
        {
            for (long c = 0; c < columns; c++) turned[(r * columns) + c] = values[(c * rows) + r];
        }

        return Store(turned, rows, (int)columns);
    }

    /// <summary>One expert's matrix out of a stack [experts, rows, columns], or its own tensor in a checkpoint that keeps them apart.</summary>
    public Tensor ExpertMatrix(string name, int expert, int experts, long rows, long columns)
    {
        if (names is not null) return Matrix(name, rows, columns, expert);
        var entry = Required(name);
        Check(entry, [experts, rows, columns]);
        long bytes = rows * entry.Format.RowBytes(columns);
        return Keep(device.FromMapped(entry.Format, rows, (int)columns, file.Pointer(entry) + (expert * bytes)));
    }

    /// <summary>A vector in F32, or null if it is not there.</summary>
    public Tensor? OptionalVector(string name, long count) => Find(name) is null ? null : Vector(name, count);

    /// <summary>A vector in F32.</summary>
    public Tensor Vector(string name, long count) => Store(Values(name, count), 1, (int)count);

    /// <summary>The values of a small tensor.</summary>
    public float[] Values(string name, long count)
    {
        var entry = Required(name);
        if (entry.Shape.Aggregate(1L, (a, b) => a * b) != count) Check(entry, [count]);
        return Decode(entry);
    }

    /// <summary>The values of a small tensor of any length, or null if it is not there.</summary>
    public float[]? OptionalValues(string name) => Has(name) ? Decode(Required(name)) : null;

    /// <summary>Scale and shift of a norm, or null if it is not there.</summary>
    public Norm? OptionalNorm(string name, long width) => Has(name + ".weight") ? Norm(name, width) : null;

    /// <summary>Scale and shift of a norm.</summary>
    public Norm Norm(string name, long width)
    {
        var values = Values(name + ".weight", width);
        if (names is { StoresNormsLessOne: true })
        {
            for (int i = 0; i < values.Length; i++) values[i] += 1;
        }

        return new Norm(Store(values, 1, values.Length), OptionalVector(name + ".bias", width));
    }

    /// <summary>A linear map.</summary>
    public Linear Linear(string name, long outputs, long inputs) =>
        new(Matrix(name + ".weight", outputs, inputs), OptionalVector(name + ".bias", outputs));

    /// <summary>A linear map with its weight as the device multiplies it fastest.</summary>
    public Linear Prepared(Linear map)
    {
        var weight = device.PrepareWeight(map.Weight, precision);
        return weight == map.Weight ? map : map with { Weight = Keep(weight) };
    }

    /// <summary>Lets go of the memory of what was read of the file.</summary>
    public void Forget() => file.Forget();

    /// <summary>Rows of a linear map that a file keeps fused with others.</summary>
    public static Linear Part(Linear fused, long start, long count)
    {
        var bias = fused.Bias is { } b ? b.Reshape(b.Columns, 1).SliceRows(start, count).Reshape(1, (int)count) : null;
        return new Linear(fused.Weight.SliceRows(start, count), bias);
    }

    /// <summary>Places values on the device as F32.</summary>
    public Tensor Store(ReadOnlySpan<float> values, long rows, int columns)
    {
        var tensor = device.Allocate(Format.F32, rows, columns);
        device.Write(tensor, 0, values);
        return Keep(tensor);
    }

    private Tensor Keep(Tensor tensor)
    {
        _owned.Add(tensor);
        return tensor;
    }

    private Tensor Place(TensorEntry entry, long rows, long columns) => Keep(device.FromMapped(entry.Format, rows, (int)columns, file.Pointer(entry)));

    private TensorEntry Required(string name, int expert = 0)
    {
        var entry = Find(name, expert) ?? throw new InvalidDataException($"{file.Path}: tensor '{(names is null ? name : string.Join("' or '", names.Candidates(name, expert)))}' is missing.");
        _used.Add(entry);
        return entry;
    }

    private TensorEntry? Find(string name, int expert = 0)
    {
        if (names is null) return file.TryGetTensor(name, out var entry) ? entry : null;
        foreach (string candidate in names.Candidates(name, expert))
        {
            if (file.TryGetTensor(candidate, out var found)) return found;
        }

        return null;
    }

    private float[] Decode(TensorEntry entry)
    {
        var values = new float[entry.Shape.Aggregate(1L, (a, b) => a * b)];
        entry.Format.Decode(file.Bytes(entry), values);
        return values;
    }

    private static (long Rows, long Columns) Extent(TensorEntry entry) => (entry.Shape.Length > 1 ? entry.Shape[^2] : 1, entry.Shape[^1]);

    private static void Check(TensorEntry entry, ReadOnlySpan<long> expected)
    {
        if (!entry.Shape.AsSpan().SequenceEqual(expected))
            throw new InvalidDataException($"{entry.File}: tensor '{entry.Name}' should be [{string.Join(", ", expected.ToArray())}], found [{string.Join(", ", entry.Shape)}].");
    }
}
