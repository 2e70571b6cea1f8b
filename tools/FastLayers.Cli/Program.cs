using System.CommandLine;
using FastLayers.Cli;
using FastLayers.Cli.Commands;

var root = new RootCommand("Run, inspect and measure transformer models in .NET.")
{
    RunCommand.Create(),
    InfoCommand.Create(),
    DevicesCommand.Create(),
    TokenizeCommand.Create(),
    LogitsCommand.Create(),
    PerplexityCommand.Create(),
    SynthCommand.Create(),
    ValidateCommand.Create(),
    BenchCommand.Create(),
};
return await CommandRunner.InvokeAsync(root, args).ConfigureAwait(false);
