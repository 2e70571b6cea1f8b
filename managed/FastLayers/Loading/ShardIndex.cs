using System.Text.Json;

namespace FastLayers.Loading;

/// <summary>The index of a model in several safetensors files: which file holds which tensor.</summary>
/// <param name="Shards">The paths of the files, each once, all existing.</param>
/// <param name="ShardByTensor">The path for each tensor name.</param>
internal sealed record ShardIndex(IReadOnlyList<string> Shards, IReadOnlyDictionary<string, string> ShardByTensor)
{
    /// <summary>Reads <c>*.safetensors.index.json</c>.</summary>
    /// <exception cref="FileNotFoundException">A file that the index names does not exist.</exception>
    /// <exception cref="InvalidDataException">The index is not valid, or names a file outside its folder.</exception>
    public static ShardIndex Read(string path) => JsonContent.Read(path, root => Read(path, root));

    private static ShardIndex Read(string path, JsonElement root)
    {
        if (!root.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            throw Refusal.Of(path, "'weight_map'", "an object of tensor names and file names", map.ValueKind == JsonValueKind.Undefined ? "nothing" : $"a JSON {map.ValueKind}");
        var folder = Path.GetDirectoryName(path) ?? "";
        var pathByName = new Dictionary<string, string>(StringComparer.Ordinal);
        var shardByTensor = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in map.EnumerateObject())
        {
            var place = Refusal.Tensor(member.Name);
            if (member.Value.ValueKind != JsonValueKind.String) throw Refusal.Of(path, place, "a file name", $"a JSON {member.Value.ValueKind}");
            var name = member.Value.GetString()!;
            if (!pathByName.TryGetValue(name, out var shard))
            {
                shard = Resolve(path, place, folder, name);
                pathByName.Add(name, shard);
            }
            shardByTensor.Add(member.Name, shard);
        }
        return new ShardIndex([.. pathByName.Values], shardByTensor);
    }

    /// <summary>The path of a shard. Links inside the folder may lead anywhere (download caches use them); names may not.</summary>
    private static string Resolve(string index, string place, string folder, string name)
    {
        var plain = name.Length > 0 && !Path.IsPathRooted(name) && !name.Any(character => char.IsControl(character) || character is '\\' or ':')
            && name.Split('/').All(part => part is not ("" or "." or ".."));
        if (!plain) throw Refusal.Of(index, place, "a file name inside the model's folder", Refusal.Quote(name));
        var shard = Path.Combine(folder, name);
        if (!File.Exists(shard)) throw new FileNotFoundException($"{index}: {place}: expected the file {Refusal.Quote(name)} beside the index, found none.", shard);
        return shard;
    }
}
