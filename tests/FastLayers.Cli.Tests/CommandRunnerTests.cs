using System.CommandLine;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FastLayers.Cli.Tests;

/// <summary>What becomes of exceptions: the user's business is one line and an exit code, a mistake of the program is not hidden.</summary>
public sealed class CommandRunnerTests
{
    public static TheoryData<Exception, string> Failures => new()
    {
        { new CudaException("unspecified launch failure"), "fastlayers: The GPU driver or its compiler failed: unspecified launch failure" },
        { new InternalCompilerException("outer", new CudaException("no kernel\nimage")), "fastlayers: The GPU driver or its compiler failed: no kernel image" },
        { new DllNotFoundException("libcuda.so"), "fastlayers: The GPU driver or its compiler failed: libcuda.so" },
        { new InvalidDataException("The file ends early."), "fastlayers: The file ends early." },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public async Task A_failure_is_one_line_and_exit_code_1(Exception failure, string line)
    {
        var error = Console.Error;
        using var written = new StringWriter();
        Console.SetError(written);
        try
        {
            Assert.Equal(ExitCode.Failure, await CommandRunner.InvokeAsync(Throwing(failure), ["fail"]));
        }
        finally
        {
            Console.SetError(error);
        }

        Assert.Equal(line, written.ToString().TrimEnd('\r', '\n'));
    }

    [Fact]
    public async Task A_mistake_of_the_program_is_not_caught() =>
        await Assert.ThrowsAsync<NullReferenceException>(() => CommandRunner.InvokeAsync(Throwing(Mistake()), ["fail"]));

    private static RootCommand Throwing(Exception exception)
    {
        var command = new Command("fail");
        command.SetAction((Func<ParseResult, int>)(_ => throw exception));
        return [command];
    }

    /// <summary>As the runtime makes it.</summary>
    private static NullReferenceException Mistake() => Assert.Throws<NullReferenceException>(() => _ = ((string)null!).Length);
}
