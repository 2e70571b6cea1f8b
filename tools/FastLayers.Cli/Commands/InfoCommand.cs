using System.CommandLine;
using System.Globalization;
using Spectre.Console;

namespace FastLayers.Cli.Commands;

/// <summary><c>fastlayers info</c>: what a model file holds.</summary>
internal static class InfoCommand
{
    public static Command Create()
    {
        var model = CommonOptions.Model(required: false);
        var tensors = new Option<bool>("--tensors") { Description = "List every tensor." };
        var json = CommonOptions.Json();
        var command = new Command("info", "Show a model's configuration, formats and bytes per layer.") { model, tensors, json };
        command.SetAction(result =>
        {
            using var loaded = Model.Load(result.GetValue(model) ?? CommonOptions.SampleModel, options: new ModelOptions { CheckValues = false });
            var info = Describe(loaded);
            if (result.GetValue(json)) JsonOutput.Write(info);
            else Print(info, result.GetValue(tensors));
            return ExitCode.Success;
        });
        return command;
    }

    private static InfoOutput Describe(Model model)
    {
        var config = model.Config;
        var tensors = model.File.Tensors;
        long parameters = tensors.Sum(t => t.Rows * t.Columns);
        long bytes = tensors.Sum(t => t.ByteLength);
        var layers = tensors.Select(t => (Layer: LayerOf(t.Name), Tensor: t)).Where(t => t.Layer >= 0).GroupBy(t => t.Layer).OrderBy(g => g.Key)
            .Select(g => new LayerOutput(g.Key, g.Sum(t => t.Tensor.ByteLength), g.GroupBy(t => t.Tensor.Format.Name).ToDictionary(f => f.Key, f => f.Count())));
        return new InfoOutput(
            model.File.Path, config.Architecture, config.Name, config.VocabularySize, config.Width, config.LayerCount, config.ContextLength,
            config.Attention.Heads, config.Attention.KvHeads, config.Attention.KeySize, config.FeedForward.Width, config.FeedForward.Experts, config.FeedForward.ExpertsUsed,
            config.IsEncoder, model.Tokenizer?.GetType().Name, parameters, bytes, parameters == 0 ? 0 : 8.0 * bytes / parameters,
            tensors.GroupBy(t => t.Format.Name).ToDictionary(g => g.Key, g => g.Sum(t => t.ByteLength)), [.. layers],
            [.. tensors.Select(t => new TensorOutput(t.Name, t.Shape, t.Format.Name, t.ByteLength))]);
    }

    /// <summary>The number in a name such as <c>blk.3.attn_q.weight</c> or <c>model.layers.3.…</c>; −1 for tensors outside the blocks.</summary>
    private static int LayerOf(string name)
    {
        foreach (string part in name.Split('.'))
        {
            if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int layer)) return layer;
        }

        return -1;
    }

    private static void Print(InfoOutput info, bool tensors)
    {
        string Number(double value, string format = "n0") => value.ToString(format, CultureInfo.InvariantCulture);
        var grid = new Grid().AddColumn().AddColumn();
        void Row(string name, string value) => grid.AddRow(Markup.Escape(name), Markup.Escape(value));
        Row("model", info.Name ?? Path.GetFileName(info.Path));
        Row("architecture", info.Architecture + (info.Encoder ? " (encoder)" : ""));
        Row("layers", Number(info.Layers));
        Row("width", $"{Number(info.Width)}, feed-forward {Number(info.FeedForwardWidth)}" + (info.Experts > 0 ? $", {info.ExpertsUsed} of {info.Experts} experts" : ""));
        Row("heads", $"{info.Heads} query, {info.KeyValueHeads} key/value" + (info.HeadSize > 0 ? $", size {info.HeadSize}" : ""));
        Row("context", Number(info.ContextLength));
        Row("vocabulary", $"{Number(info.VocabularySize)}, {info.Tokenizer ?? "no tokenizer"}");
        Row("parameters", $"{Number(info.Parameters)}, {Number(info.Bytes)} bytes, {Number(info.BitsPerWeight, "f2")} bits each");
        foreach (var (format, bytes) in info.BytesByFormat) Row("  " + format, $"{Number(bytes)} bytes");
        foreach (var layer in info.BytesPerLayer) Row($"  layer {layer.Layer}", $"{Number(layer.Bytes)} bytes: {string.Join(", ", layer.Formats.Select(f => $"{f.Value} {f.Key}"))}");
        if (tensors)
        {
            foreach (var tensor in info.Tensors) Row("  " + tensor.Name, $"[{string.Join(", ", tensor.Shape)}] {tensor.Format}, {Number(tensor.Bytes)} bytes");
        }

        AnsiConsole.Write(grid);
    }
}
