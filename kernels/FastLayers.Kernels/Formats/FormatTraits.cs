namespace FastLayers.Kernels.Formats;

/// <summary>The constants of one format, stated beside its block layout.</summary>
/// <param name="Name">Lower-case name.</param>
/// <param name="TypeId">Type number in GGUF files.</param>
/// <param name="BlockLength">Values in one block.</param>
/// <param name="BlockBytes">Bytes of one block.</param>
/// <param name="GroupLength">Values that share one scale after unpacking; 0 for float formats.</param>
/// <param name="HasMinimums">Whether unpacking gives minimums other than zero.</param>
internal readonly record struct FormatTraits(
    string Name, int TypeId, int BlockLength, int BlockBytes, int GroupLength, bool HasMinimums = false);
