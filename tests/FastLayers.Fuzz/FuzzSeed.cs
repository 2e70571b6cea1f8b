namespace FastLayers.Fuzz;

/// <summary>A valid model of one or more files; mutations start from it.</summary>
/// <param name="Name">Names its folder.</param>
/// <param name="Opened">The file to open, or empty for the folder itself.</param>
/// <param name="Files">All files.</param>
public sealed record FuzzSeed(string Name, string Opened, FuzzFile[] Files);

/// <summary>One file of a seed.</summary>
public sealed record FuzzFile(string Name, byte[] Bytes, FileKind Kind);

/// <summary>What a mutator may assume about a file's content.</summary>
public enum FileKind
{
    /// <summary>Numbers, texts and data.</summary>
    Binary,

    /// <summary>JSON from start to end.</summary>
    Json,

    /// <summary>A 64-bit length, JSON of that length, data.</summary>
    Safetensors,
}
