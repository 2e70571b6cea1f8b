using System.CommandLine;

namespace FastLayers.Cli;

/// <summary>Exit codes of the command.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The work failed: a bad file, an impossible request.</summary>
    public const int Failure = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Ended by Ctrl-C, as shells report it.</summary>
    public const int Canceled = 130;
}

/// <summary>Parses a command line, runs it, and turns failures into one line on the error stream and an exit code.</summary>
internal static class CommandRunner
{
    public static async Task<int> InvokeAsync(RootCommand root, string[] args)
    {
        using var cancellation = new CancellationTokenSource();
        void Cancel(object? sender, ConsoleCancelEventArgs e)
        {
            e.Cancel = true;
            cancellation.Cancel();
        }

        Console.CancelKeyPress += Cancel;
        try
        {
            var result = root.Parse(args);
            int code = await result.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, cancellation.Token).ConfigureAwait(false);
            return result.Errors.Count > 0 ? ExitCode.Usage : code;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Canceled.").ConfigureAwait(false);
            return ExitCode.Canceled;
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or NotSupportedException or ArgumentException or InvalidOperationException or UnauthorizedAccessException or OutOfMemoryException)
        {
            await Console.Error.WriteLineAsync("fastlayers: " + OneLine(exception.Message)).ConfigureAwait(false);
            return exception is UsageException ? ExitCode.Usage : ExitCode.Failure;
        }
        finally
        {
            Console.CancelKeyPress -= Cancel;
        }
    }

    private static string OneLine(string message) => message.ReplaceLineEndings(" ");
}

/// <summary>An option's value makes no sense.</summary>
internal sealed class UsageException(string message) : ArgumentException(message);
