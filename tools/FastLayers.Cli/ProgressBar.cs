using Spectre.Console;

namespace FastLayers.Cli;

/// <summary>Runs long work with a progress bar on the error stream, if a person is watching.</summary>
internal static class ProgressBar
{
    public static async Task<T> RunAsync<T>(string title, bool quiet, Func<IProgress<double>?, T> work)
    {
        if (quiet || Console.IsErrorRedirected) return await Task.Run(() => work(null)).ConfigureAwait(false);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress().AutoClear(true).StartAsync(async context =>
        {
            var task = context.AddTask(Markup.Escape(title), maxValue: 1);
            return await Task.Run(() => work(new TaskProgress(task))).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private sealed class TaskProgress(ProgressTask task) : IProgress<double>
    {
        public void Report(double value) => task.Value = value;
    }
}
