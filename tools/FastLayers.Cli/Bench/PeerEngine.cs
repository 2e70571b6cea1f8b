using System.Diagnostics;
using System.Globalization;

namespace FastLayers.Cli.Bench;

/// <summary>
/// Measures another engine, a process that answers lines: <c>ready DESCRIPTION</c> once, then to <see cref="BenchCase.PeerLine"/> a line
/// <c>done WALL CPU</c> in nanoseconds, or <c>error REASON</c>.
/// </summary>
internal sealed class PeerEngine : IBenchEngine
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private PeerEngine(string name, Process process)
    {
        Name = name;
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
        Description = "";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>What the peer says about itself: its version and the instructions that it uses.</summary>
    public string Description { get; private set; }

    /// <summary>Starts a peer and waits until it is ready.</summary>
    /// <param name="name">Its name in tables.</param>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="InvalidOperationException">It cannot be started, or says why it cannot run the model.</exception>
    public static PeerEngine Start(string name, string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new InvalidOperationException($"The peer {program} cannot be started: {exception.Message}", exception);
        }

        var peer = new PeerEngine(name, process);
        try
        {
            peer.Description = peer.Answer("ready ", cancellation);
            return peer;
        }
        catch
        {
            peer.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public BenchSample Run(BenchCase work, CancellationToken cancellation)
    {
        try
        {
            _process.StandardInput.WriteLine(work.PeerLine);
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It ended; what it said before is more telling than a broken pipe.
        }

        string answer = Answer("done ", cancellation);
        if (answer.Split(' ') is [var wall, var cpu] && long.TryParse(wall, NumberStyles.None, CultureInfo.InvariantCulture, out long wallTime) && wallTime > 0 && long.TryParse(cpu, NumberStyles.None, CultureInfo.InvariantCulture, out long cpuTime))
            return new BenchSample(wallTime / 1e9, cpuTime / 1e9);
        throw new InvalidOperationException($"The peer {Name} should answer 'done WALL CPU' in nanoseconds, found 'done {answer}'.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private string Answer(string expected, CancellationToken cancellation)
    {
        string? line = _process.StandardOutput.ReadLineAsync(cancellation).AsTask().GetAwaiter().GetResult();
        if (line?.StartsWith(expected, StringComparison.Ordinal) == true) return line[expected.Length..];
        if (line?.StartsWith("error ", StringComparison.Ordinal) == true) throw new InvalidOperationException($"The peer {Name}: {line["error ".Length..]}");
        if (line is not null) throw new InvalidOperationException($"The peer {Name} should answer '{expected}…', found '{line}'.");
        string[] said = _errors.GetAwaiter().GetResult().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        throw new InvalidOperationException($"The peer {Name} ended without an answer" + (said.Length > 0 ? $": {said[^1]}" : "."));
    }
}
