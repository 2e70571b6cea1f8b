using System.Text.Json;

namespace FastLayers.Tests.Transformer;

/// <summary>The tensors inside one forward pass of tiny64-f32 against llama.cpp's, which tells where an error starts.</summary>
public class InnerTensorsTests
{
    private const double Tolerance = 1e-4;

    /// <summary>Names of llama.cpp's tensors for the points of a probe; its layouts are the same, rows of heads.</summary>
    private static readonly Dictionary<string, string> s_names = new()
    {
        ["attn_norm"] = "attn_norm",
        ["query"] = "q_proj",
        ["key"] = "k_proj",
        ["value"] = "v_proj",
        ["query_rotated"] = "q_rope",
        ["key_rotated"] = "k_rope",
        ["attention"] = "kqv_out",
        ["attn_output"] = "attn_out",
        ["ffn_norm"] = "ffn_norm",
        ["ffn_gate"] = "ffn_gate",
        ["ffn_up"] = "ffn_up",
        ["ffn_activated"] = "ffn_swiglu",
        ["ffn_output"] = "ffn_out",
        ["after_attention"] = "ffn_inp",
        ["block_output"] = "l_out",
    };

    [Fact]
    public void Every_tensor_agrees()
    {
        using var index = JsonDocument.Parse(File.ReadAllText(TestPaths.Data("llama.cpp", "tensors", "index.json")));
        var known = index.RootElement.GetProperty("tensors").EnumerateArray().Select(t => t.GetProperty("name").GetString()!).ToHashSet();
        using var model = TestModels.Load("tiny64-f32");
        var probe = new Recorder();
        using var session = model.CreateSession(TestModels.F32Cache with { Probe = probe });

        session.Append(TestModels.ReferenceIds("tiny64-f32.kvf32"));

        var wrong = new List<string>();
        int compared = 0;
        foreach (var (point, values) in probe.Values)
        {
            string name = $"{s_names[point.Name]}-{point.Layer}";
            // Only the last token leaves the last layer there where the rest is not needed; those files are shorter.
            if (!known.Contains(name)) continue;
            float[] expected = TestModels.ReadFloats("llama.cpp", "tensors", name + ".f32");
            double difference = TestModels.MaxDifference(expected, values);
            compared++;
            if (!(difference <= Tolerance)) wrong.Add($"{name}: {difference:g3}");
        }

        Assert.Empty(wrong);
        Assert.InRange(compared, 28, 30);
    }

    private sealed class Recorder : LayerProbe
    {
        public Dictionary<(string Name, int Layer), float[]> Values { get; } = [];

        public override void Intermediate(string name, in ProbePoint point) => Record(name, point);

        public override void AfterAttention(in ProbePoint point) => Record("after_attention", point);

        public override void BlockOutput(in ProbePoint point) => Record("block_output", point);

        private void Record(string name, in ProbePoint point)
        {
            var values = new float[point.Count];
            point.Read(values);
            Values[(name, point.Layer)] = values;
        }
    }
}
