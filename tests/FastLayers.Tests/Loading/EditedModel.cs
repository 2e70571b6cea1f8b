using FastLayers.Kernels.Formats;
using FastLayers.Loading;

namespace FastLayers.Tests.Loading;

/// <summary>Writes models with something changed: metadata, or the shape, format and values of tensors.</summary>
internal static class EditedModel
{
    /// <summary>Writes a copy of a GGUF model.</summary>
    /// <param name="source">The model to copy.</param>
    /// <param name="path">Where to write.</param>
    /// <param name="metadata">Values to set.</param>
    /// <param name="tensors">New content of tensors by name, or null to leave the tensor out. Others are copied, new names are added.</param>
    public static string Write(string source, string path, Dictionary<string, object>? metadata = null, Dictionary<string, (long[] Shape, Format Format, float[] Values)?>? tensors = null)
    {
        using var file = ModelFile.Open(source);
        var writer = new GgufWriter();
        writer.SetMetadata(file.Metadata);
        foreach (var (key, value) in metadata ?? []) writer.SetMetadata(key, value);
        foreach (var entry in file.Tensors)
        {
            if (tensors?.ContainsKey(entry.Name) != true) writer.AddTensor(file, entry);
        }

        foreach (var (name, content) in tensors ?? [])
        {
            if (content is not var (shape, format, values)) continue;
            var bytes = new byte[values.Length / format.BlockLength * format.BlockBytes];
            format.Encode(values, bytes);
            writer.AddTensor(name, shape, format, bytes);
        }

        writer.Write(path);
        return path;
    }

    /// <summary>The shape and decoded values of a tensor.</summary>
    public static (long[] Shape, float[] Values) Read(string source, string name)
    {
        using var file = ModelFile.Open(source);
        var entry = file.GetTensor(name);
        var values = new float[entry.Rows * entry.Columns];
        entry.Format.Decode(file.Bytes(entry), values);
        return (entry.Shape, values);
    }
}
