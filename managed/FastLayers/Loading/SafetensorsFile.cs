namespace FastLayers.Loading;

/// <summary>
/// A model in safetensors: one file, several files with an index, or the folder of either. The values of
/// <c>config.json</c> in the same folder become metadata under <c>config.</c>, the header's own texts under <c>safetensors.</c>.
/// </summary>
/// <remarks>
/// Numbers of <c>config.json</c> are <see cref="long"/> where whole, else <see cref="double"/>; read arrays through
/// <see cref="ModelMetadata.GetIntegers"/> and <see cref="ModelMetadata.GetNumbers"/>.
/// </remarks>
public sealed class SafetensorsFile : ModelFile
{
    private const string ConfigName = "config.json";
    private const string SingleName = "model.safetensors";
    private const string IndexName = "model.safetensors.index.json";

    private readonly Dictionary<string, object> _metadata = new(StringComparer.Ordinal);
    private string _metadataSource;

    /// <summary>Opens the file, index or folder and reads all headers.</summary>
    /// <exception cref="FileNotFoundException">The file, or a file that it needs, does not exist.</exception>
    /// <exception cref="InvalidDataException">The content is not valid; the message names file, place, expected and found.</exception>
    public SafetensorsFile(string path) : base(path)
    {
        _metadataSource = path;
        try
        {
            if (Directory.Exists(path)) OpenFolder(path);
            else if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)) OpenIndex(path);
            else OpenFile(path);
            Metadata = new ModelMetadata(_metadataSource, _metadata);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private void OpenFolder(string folder)
    {
        var config = System.IO.Path.Combine(folder, ConfigName);
        if (!File.Exists(config)) throw new FileNotFoundException($"{config}: a model folder needs this file.", config);
        var index = System.IO.Path.Combine(folder, IndexName);
        if (File.Exists(index))
        {
            OpenIndex(index);
            return;
        }
        var single = System.IO.Path.Combine(folder, SingleName);
        if (!File.Exists(single))
        {
            var others = Directory.GetFiles(folder, "*.safetensors");
            if (others.Length != 1)
                throw new FileNotFoundException($"{single}: the folder needs this file or {IndexName}; found {others.Length} other safetensors files.", single);
            single = others[0];
        }
        OpenFile(single);
    }

    private void OpenFile(string path)
    {
        ReadConfig(path);
        AddShard(path);
    }

    private void OpenIndex(string path)
    {
        ReadConfig(path);
        var index = ShardIndex.Read(path);
        foreach (var shard in index.Shards) AddShard(shard);
        foreach (var (name, shard) in index.ShardByTensor)
        {
            var found = FileOf(name);
            if (found != shard) throw Refusal.Of(path, Refusal.Tensor(name), $"it in '{shard}'", found is null ? "it in no file" : $"it in '{found}'");
        }
    }

    private void ReadConfig(string sibling)
    {
        var config = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(sibling) ?? "", ConfigName);
        if (!File.Exists(config)) return;
        _metadataSource = config;
        JsonContent.Read(config, root =>
        {
            new ConfigMetadata(config, new FileInfo(config).Length, _metadata).Add("config.", root);
            return true;
        });
    }

    private void AddShard(string path)
    {
        var header = SafetensorsHeader.Read(Map(path));
        foreach (var (key, value) in header.Texts) _metadata[$"safetensors.{key}"] = value;
        foreach (var tensor in header.Tensors) Add(tensor);
        foreach (var tensor in header.Unsupported) Add(tensor);
    }
}
