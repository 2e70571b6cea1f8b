using System.Diagnostics;

namespace FastLayers.Cli.Tests;

/// <summary>The command as a process of its own, as a script starts it.</summary>
internal static class CommandProcess
{
    /// <summary>The sample model that lies beside the command.</summary>
    public static string Sample => Path.Combine(AppContext.BaseDirectory, "samples", "stories260K", "stories260K.gguf");

    /// <summary>Runs the command to its end.</summary>
    public static (int Code, string Output, string Error) Fastlayers(params string[] arguments)
    {
        using var process = Start(arguments);
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    /// <summary>Starts the command; its streams are to be read.</summary>
    public static Process Start(params string[] arguments) =>
        Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "FastLayers.Cli.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
}
