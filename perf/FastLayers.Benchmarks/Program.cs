using System.CommandLine;
using FastLayers.Benchmarks.Gate;
using FastLayers.Benchmarks.Report;
using FastLayers.Benchmarks.Suites;
using FastLayers.Cli;

var root = new RootCommand("Measure FastLayers: benchmark suites, the report in docs/, and the regression gate.")
{
    SuitesCommand.Create(),
    ReportCommand.Create(),
    GateCommand.Create(),
};
return await CommandRunner.InvokeAsync(root, args).ConfigureAwait(false);
