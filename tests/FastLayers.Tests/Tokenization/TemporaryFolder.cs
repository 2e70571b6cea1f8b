using System.Text.Json.Nodes;
using FastLayers.Tokenization;

namespace FastLayers.Tests.Tokenization;

/// <summary>A folder that exists for one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("fastlayers-").FullName;

    public string Write(string name, string text)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Opens a <c>tokenizer.json</c> with some values, at places such as <c>model.vocab</c>, replaced.</summary>
    public Tokenizer OpenTokenizer(string json, params (string Place, string Json)[] changes)
    {
        var root = JsonNode.Parse(json)!.AsObject();
        foreach (var (place, value) in changes)
        {
            var names = place.Split('.');
            var owner = names.Length == 2 ? root[names[0]]!.AsObject() : root;
            owner[names[^1]] = JsonNode.Parse(value);
        }
        return Tokenizer.FromFile(Write("tokenizer.json", root.ToJsonString()));
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
