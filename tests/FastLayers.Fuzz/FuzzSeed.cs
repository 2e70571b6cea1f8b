namespace FastLayers.Fuzz;

/// <summary>A valid model of one or more files; mutations start from it.</summary>
/// <param name="Name">Names its folder.</param>
/// <param name="Opened">The file to open, or empty for the folder itself.</param>
/// <param name="Files">All files.</param>
public sealed record FuzzSeed(string Name, string Opened, FuzzFile[] Files);

/// <summary>One file of a seed.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Bytes">Its valid content.</param>
/// <param name="Kind">How it may be damaged.</param>
/// <param name="Metadata">For <see cref="FileKind.Metadata"/>: the content as values.</param>
public sealed record FuzzFile(string Name, byte[] Bytes, FileKind Kind, IReadOnlyDictionary<string, object>? Metadata = null);

/// <summary>What a mutator may assume about a file's content.</summary>
public enum FileKind
{
    /// <summary>Numbers, texts and data.</summary>
    Binary,

    /// <summary>A GGUF file of which only the metadata matters.</summary>
    Metadata,

    /// <summary>JSON from start to end.</summary>
    Json,

    /// <summary>A 64-bit length, JSON of that length, data.</summary>
    Safetensors,
}
