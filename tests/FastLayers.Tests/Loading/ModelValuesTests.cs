using FastLayers.Kernels.Formats;

namespace FastLayers.Tests.Loading;

/// <summary>Weights that are not numbers are found while loading, where their tensor can still be named.</summary>
public sealed class ModelValuesTests : IDisposable
{
    private static readonly string s_sample = TestPaths.Sample("stories260K.gguf");

    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string, float, int> BadValues
    {
        get
        {
            var data = new TheoryData<string, string, float, int>();
            foreach (string format in (string[])["f32", "f16", "bf16"])
            {
                foreach (float value in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
                {
                    // The first and last value, and some in vectors and behind them.
                    foreach (int index in (int[])[0, 33, 4000, 11_006, 11_007]) data.Add("blk.2.ffn_up.weight", format, value, index);
                }
            }

            data.Add("blk.4.attn_norm.weight", "f32", float.NaN, 63);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(BadValues))]
    public void A_weight_that_is_no_number_is_named(string tensor, string format, float value, int index)
    {
        var (shape, values) = EditedModel.Read(s_sample, tensor);
        values[index] = value;
        string path = EditedModel.Write(s_sample, _folder.PathOf("model.gguf"), tensors: new() { [tensor] = (shape, Format.All.Single(f => f.Name == format), values) });

        string message = Assert.Throws<InvalidDataException>(() => Model.Load(path)).Message;

        Assert.Equal($"{path}: tensor '{tensor}' value {index}: expected a finite number, found {(float.IsNaN(value) ? "NaN" : "an infinity")}.", message);
        Model.Load(path, options: new ModelOptions { CheckValues = false }).Dispose();
    }

    [Theory]
    [InlineData("f16", 65504)]
    [InlineData("bf16", 3.38e38f)]
    [InlineData("f32", float.MaxValue)]
    public void The_largest_numbers_are_numbers(string format, float value)
    {
        const string tensor = "blk.2.ffn_up.weight";
        var (shape, values) = EditedModel.Read(s_sample, tensor);
        values.AsSpan().Fill(value);
        values[1] = -value;
        Model.Load(EditedModel.Write(s_sample, _folder.PathOf("model.gguf"), tensors: new() { [tensor] = (shape, Format.All.Single(f => f.Name == format), values) })).Dispose();
    }

    [Fact]
    public void A_tensor_that_no_layer_reads_may_hold_anything() =>
        Model.Load(EditedModel.Write(s_sample, _folder.PathOf("model.gguf"), tensors: new() { ["attention_mask"] = ([2], Format.F32, [0, float.NegativeInfinity]) })).Dispose();
}
