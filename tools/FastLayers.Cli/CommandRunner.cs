using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using ILGPU;
using ILGPU.Runtime;

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
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            var result = root.Parse(args);
            if (args.Length > 0 && result.Errors.Count > 0)
            {
                string message = result.UnmatchedTokens is [{ } unknown, ..] ? $"There is no command or option '{unknown}'." : result.Errors[0].Message;
                await WriteErrorAsync($"{message} See '{CommandPath(result.CommandResult)} --help'.").ConfigureAwait(false);
                return ExitCode.Usage;
            }

            if (args.Length == 0) result = root.Parse("--help");
            int code = await result.InvokeAsync(configuration, cancellation.Token).ConfigureAwait(false);
            return args.Length == 0 ? ExitCode.Usage : code;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Canceled.").ConfigureAwait(false);
            return ExitCode.Canceled;
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            await WriteErrorAsync(Describe(exception)).ConfigureAwait(false);
            return exception is UsageException ? ExitCode.Usage : ExitCode.Failure;
        }
        finally
        {
            Console.CancelKeyPress -= Cancel;
        }
    }

    /// <summary>Whether the message of an exception is for the user. Others are mistakes of the program, with a stack trace.</summary>
    private static bool IsFailure(Exception exception) => IsOfDriver(exception)
        || exception is IOException or InvalidDataException or NotSupportedException or ArgumentException or InvalidOperationException or UnauthorizedAccessException or OutOfMemoryException;

    /// <summary>Whether a GPU driver, or what compiles for it, threw an exception that the library made none of its own from.</summary>
    private static bool IsOfDriver(Exception exception) =>
        exception is AcceleratorException or InternalCompilerException or CapabilityNotSupportedException or DllNotFoundException or EntryPointNotFoundException;

    private static Task WriteErrorAsync(string message) => Console.Error.WriteLineAsync("fastlayers: " + message.ReplaceLineEndings(" "));

    /// <summary>The message, without the name of a parameter that only a programmer knows, and with the value that was found or who says it.</summary>
    public static string Describe(Exception exception)
    {
        string message = exception.Message;
        if (exception is ArgumentException { ParamName: { } name }) message = message.Split($" (Parameter '{name}')")[0];
        if (exception is ArgumentOutOfRangeException { ActualValue: { } value })
        {
            string found = Convert.ToString(value, CultureInfo.InvariantCulture)!;
            if (!message.Contains(found, StringComparison.Ordinal)) message += $" Found {found}.";
        }

        if (IsOfDriver(exception)) message = $"The GPU driver or its compiler failed: {exception.GetBaseException().Message}";
        return message;
    }

    private static string CommandPath(CommandResult command) =>
        command.Parent is CommandResult ? $"fastlayers {command.Command.Name}" : "fastlayers";
}

/// <summary>An option's value makes no sense.</summary>
internal sealed class UsageException(string message) : ArgumentException(message);
