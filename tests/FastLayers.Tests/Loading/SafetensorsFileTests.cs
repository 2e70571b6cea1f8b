using FastLayers.Fuzz;
using FastLayers.Kernels.Formats;
using FastLayers.Loading;

namespace FastLayers.Tests.Loading;

public sealed class SafetensorsFileTests : IDisposable
{
    private const string Index = """
        {"metadata":{"total_size":48},"weight_map":{"a":"s-1.safetensors","b":"s-1.safetensors","c":"s-2.safetensors"}}
        """;

    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Float_tensors_are_listed_and_others_refused_by_name()
    {
        using var model = ModelFile.Open(_folder.Write("x.safetensors", SafetensorsSeeds.EveryType()));
        Assert.Equal(["weight", "half", "bias", "scalar"], model.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([Format.F32, Format.F16, Format.BF16, Format.F32], model.Tensors.Select(tensor => tensor.Format));
        Assert.Equal([2, 4], model.GetTensor("weight").Shape);
        Assert.Equal([1], model.GetTensor("scalar").Shape);
        Assert.Equal([38, 39, 40, 41, 42, 43, 44, 45], model.Bytes(model.GetTensor("bias")).ToArray());
        Assert.Equal("pt", model.Metadata.GetString("safetensors.format"));

        Assert.Equal(["ids", "mask", "fp8", "none", "conv"], model.UnsupportedTensors.Select(tensor => tensor.Name));
        Assert.All(model.UnsupportedTensors, tensor =>
        {
            Assert.False(model.TryGetTensor(tensor.Name, out _));
            var message = Assert.Throws<InvalidDataException>(() => model.GetTensor(tensor.Name)).Message;
            Assert.StartsWith($"{model.Path}: tensor '{tensor.Name}': expected a tensor that layers can read, found {tensor.ElementType} [", message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Config_is_flattened_with_types()
    {
        _folder.Write("config.json", """
            {"hidden_size":64,"eps":1e-5,"tie":true,"none":null,"name":"größe","rope":{"type":"linear","deep":{"x":2}},
             "big":9007199254740993,"whole":[1,2],"numbers":[1,1.5],"texts":["a","b"],"flags":[true,false],"empty":[],"mixed":[{"k":1},"t"]}
            """);
        _folder.Write("model.safetensors", SafetensorsBytes.Build(("w", "F32", [1], 4)));
        using var model = ModelFile.Open(_folder.Path);
        var expected = new Dictionary<string, object>
        {
            ["config.hidden_size"] = 64L,
            ["config.eps"] = 1e-5,
            ["config.tie"] = true,
            ["config.name"] = "größe",
            ["config.rope.type"] = "linear",
            ["config.rope.deep.x"] = 2L,
            ["config.big"] = 9007199254740993L,
            ["config.whole"] = new long[] { 1, 2 },
            ["config.numbers"] = new[] { 1, 1.5 },
            ["config.texts"] = new[] { "a", "b" },
            ["config.flags"] = new[] { true, false },
            ["config.empty"] = Array.Empty<string>(),
            ["config.mixed.0.k"] = 1L,
            ["config.mixed.1"] = "t",
            ["safetensors.format"] = "pt",
        };
        Assert.Equal(expected, model.Metadata.Values);
        Assert.All(expected, pair => Assert.IsType(pair.Value.GetType(), model.Metadata.Values[pair.Key]));
        Assert.Contains(_folder.PathOf("config.json"), Assert.Throws<InvalidDataException>(() => model.Metadata.GetFlag("config.eps")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("model.safetensors.index.json")]
    public void Shards_are_one_model(string opened)
    {
        WriteShards();
        _folder.Write("config.json", """{"hidden_size":4}""");
        _folder.Write("model.safetensors.index.json", Index);
        using var model = ModelFile.Open(_folder.PathOf(opened));
        Assert.Equal(["a", "b", "c"], model.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(4, model.Metadata.GetInteger("config.hidden_size"));
        Assert.Equal(_folder.PathOf("s-2.safetensors"), model.GetTensor("c").File);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], model.Bytes(model.GetTensor("c")).ToArray());
    }

    [Fact]
    public void A_folder_may_name_its_only_file_otherwise()
    {
        _folder.Write("config.json", "{}");
        _folder.Write("encoder.safetensors", SafetensorsBytes.Build(("w", "F32", [1], 4)));
        using var model = ModelFile.Open(_folder.Path);
        Assert.Equal("w", Assert.Single(model.Tensors).Name);
    }

    [Fact]
    public void A_folder_without_its_files_is_refused()
    {
        Assert.Contains("config.json", Missing(_folder.Path), StringComparison.Ordinal);
        _folder.Write("config.json", "{}");
        Assert.Contains("model.safetensors", Missing(_folder.Path), StringComparison.Ordinal);
        _folder.Write("a.safetensors", SafetensorsSeeds.EveryType());
        _folder.Write("b.safetensors", SafetensorsSeeds.EveryType());
        Assert.Contains("found 2 other safetensors files", Missing(_folder.Path), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_shard_is_named()
    {
        _folder.Write("s-1.safetensors", SafetensorsBytes.Build(("a", "F32", [8], 32), ("b", "F16", [4], 8)));
        var message = Missing(_folder.Write("model.safetensors.index.json", Index));
        Assert.Contains("model.safetensors.index.json: tensor 'c': expected the file 's-2.safetensors' beside the index, found none", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../s-1.safetensors")]
    [InlineData("x/../../s-1.safetensors")]
    [InlineData("/etc/s-1.safetensors")]
    [InlineData("./s-1.safetensors")]
    [InlineData("..\\\\s-1.safetensors")]
    [InlineData("C:s-1.safetensors")]
    [InlineData("s-1.safetensors\\u0000")]
    [InlineData("")]
    public void A_shard_outside_the_folder_is_refused(string name)
    {
        var folder = Path.Combine(_folder.Path, "model");
        _folder.Write("s-1.safetensors", SafetensorsBytes.Build(("a", "F32", [1], 4)));
        _folder.Write("model/s-1.safetensors", SafetensorsBytes.Build(("a", "F32", [1], 4)));
        var path = _folder.Write("model/model.safetensors.index.json", $$$"""{"weight_map":{"a":"{{{name}}}"}}""");
        var message = Assert.Throws<InvalidDataException>(() => ModelFile.Open(path)).Message;
        Assert.StartsWith(path + ": tensor 'a': expected a file name inside the model's folder, found '", message, StringComparison.Ordinal);
        Assert.True(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"s-2.safetensors","c":"s-2.safetensors"}}""", "tensor 'a'")]
    [InlineData("""{"weight_map":{"a":"s-1.safetensors","d":"s-1.safetensors"}}""", "tensor 'd': expected it in")]
    [InlineData("""{"weight_map":{"a":1}}""", "tensor 'a': expected a file name, found a JSON Number")]
    [InlineData("""{"weight_map":[]}""", "'weight_map': expected an object")]
    [InlineData("""{}""", "'weight_map': expected an object")]
    [InlineData("""{"weight_map":{"a":"s-1.safetensors","a":"s-1.safetensors"}}""", "each key once")]
    public void An_index_that_disagrees_with_its_files_is_refused(string index, string part)
    {
        WriteShards();
        Refused(_folder.Write("model.safetensors.index.json", index), part);
    }

    [Theory]
    [InlineData("F32")]
    [InlineData("I32")]
    public void A_tensor_in_two_shards_is_refused(string elementType)
    {
        _folder.Write("s-1.safetensors", SafetensorsBytes.Build(("a", "F32", [1], 4), ("c", elementType, [1], 4)));
        _folder.Write("s-2.safetensors", SafetensorsBytes.Build(("c", "F32", [1], 4)));
        var path = _folder.Write("model.safetensors.index.json", """{"weight_map":{"a":"s-1.safetensors","c":"s-2.safetensors"}}""");
        var message = Assert.Throws<InvalidDataException>(() => ModelFile.Open(path)).Message;
        Assert.StartsWith(_folder.PathOf("s-2.safetensors") + ": tensor 'c': expected a name that occurs once, found it in", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "length: expected JSON of 1 to")]
    [InlineData("[1]", "content: expected a JSON object, found a JSON Array")]
    [InlineData("{\"a\":1", "content: expected JSON")]
    [InlineData("""{"a":1,"a":2}""", "each key once")]
    [InlineData("""{"a.b":1,"a":{"b":2}}""", "'config.a.b': expected a key that occurs once")]
    [InlineData("""{"a":1e999}""", "'config.a': expected a number within double precision")]
    [InlineData("""{"a":"\ud800"}""", "valid Unicode")]
    public void A_config_that_is_not_valid_is_refused(string config, string part)
    {
        _folder.Write("model.safetensors", SafetensorsSeeds.EveryType());
        var path = _folder.Write("config.json", config);
        var message = Assert.Throws<InvalidDataException>(() => ModelFile.Open(_folder.Path)).Message;
        Assert.StartsWith(path + ": ", message, StringComparison.Ordinal);
        Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Long_names_above_many_leaves_do_not_multiply()
    {
        var leaves = string.Join(',', Enumerable.Range(0, 50_000).Select(index => $"\"{index}\":0"));
        _folder.Write("config.json", $$$"""{"{{{new string('n', 100_000)}}}":{ {{{leaves}}} }}""");
        _folder.Write("model.safetensors", SafetensorsSeeds.EveryType());
        Assert.Contains("characters in all flattened keys", Assert.Throws<InvalidDataException>(() => ModelFile.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_config_of_countless_values_is_refused()
    {
        _folder.Write("config.json", $$"""{"a":[{{string.Join(',', Enumerable.Repeat("[]", 200_001))}}]}""");
        _folder.Write("model.safetensors", SafetensorsSeeds.EveryType());
        Assert.Contains("expected at most 200000 values in a configuration", Assert.Throws<InvalidDataException>(() => ModelFile.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private void WriteShards()
    {
        _folder.Write("s-1.safetensors", SafetensorsBytes.Build(("a", "F32", [2, 4], 32), ("b", "F16", [4], 8)));
        _folder.Write("s-2.safetensors", SafetensorsBytes.Build(("c", "BF16", [4], 8)));
    }

    private static string Missing(string path) => Assert.Throws<FileNotFoundException>(() => ModelFile.Open(path)).Message;

    private static void Refused(string path, string part)
    {
        var message = Assert.Throws<InvalidDataException>(() => ModelFile.Open(path)).Message;
        Assert.StartsWith(path + ": ", message, StringComparison.Ordinal);
        Assert.Contains(part, message, StringComparison.Ordinal);
    }
}
