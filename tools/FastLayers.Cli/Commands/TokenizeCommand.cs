using System.CommandLine;
using System.Globalization;

namespace FastLayers.Cli.Commands;

/// <summary><c>fastlayers tokenize</c>: shows the tokens of a text.</summary>
internal static class TokenizeCommand
{
    public static Command Create()
    {
        var model = CommonOptions.Model(required: false);
        var text = new Option<string>("--text") { Description = "Text to cut into tokens.", Required = true };
        var idsOnly = new Option<bool>("--ids") { Description = "Print the ids alone, separated by commas." };
        var noSpecial = new Option<bool>("--no-special") { Description = "Leave out the tokens that begin and end a text." };
        var json = CommonOptions.Json();
        var command = new Command("tokenize", "Show the tokens of a text.") { model, text, idsOnly, noSpecial, json };
        command.SetAction(result =>
        {
            string path = result.GetValue(model) ?? CommonOptions.SampleModel;
            using var file = Loading.ModelFile.Open(path);
            var tokenizer = Model.OpenTokenizer(file) ?? throw new InvalidOperationException($"{path} has no tokenizer.");
            int[] ids = tokenizer.Encode(result.GetValue(text)!, addSpecial: !result.GetValue(noSpecial));
            if (result.GetValue(json)) JsonOutput.Write(new TokenizeOutput(ids, [.. ids.Select(tokenizer.TokenText)]));
            else if (result.GetValue(idsOnly)) Console.Out.WriteLine(string.Join(',', ids));
            else foreach (int id in ids) Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{id,8}  {tokenizer.TokenText(id)}"));
            return ExitCode.Success;
        });
        return command;
    }
}
