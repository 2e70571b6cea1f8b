using System.Collections.Concurrent;
using System.Diagnostics;

namespace FastLayers.Kernels.Gpu.Tests.Text;

/// <summary>Checks OpenCL C with clang, without compiling it to anything.</summary>
internal sealed class ClangChecker
{
    // The first that declares the OpenCL functions by itself, and one beyond today's.
    private const int FirstVersion = 13;
    private const int LastVersion = 22;

    private readonly string _path;

    private ClangChecker(string path) => _path = path;

    /// <summary>The compiler named by FASTLAYERS_CLANG, one that <c>tools/opencl/prepare</c> unpacked, or the system's; null if there is none.</summary>
    public static ClangChecker? Find() => Candidates().Where(Runs).Select(path => new ClangChecker(path)).FirstOrDefault();

    /// <summary>The first complaint about each text that has one.</summary>
    public IReadOnlyList<string> Check(IEnumerable<(string Name, Func<string> Text)> kernels)
    {
        string folder = Directory.CreateTempSubdirectory("fastlayers-").FullName;
        try
        {
            var complaints = new ConcurrentBag<string>();
            Parallel.ForEach(kernels, kernel =>
            {
                string file = Path.Combine(folder, kernel.Name + ".cl");
                File.WriteAllText(file, kernel.Text());
                if (Complaint(file) is { } complaint) complaints.Add($"{kernel.Name}: {complaint}");
            });
            return [.. complaints.Order()];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<string> Candidates()
    {
        if (Environment.GetEnvironmentVariable("FASTLAYERS_CLANG") is { Length: > 0 } chosen) return [chosen];
        string cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } home
            ? home
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        string root = Environment.GetEnvironmentVariable("FASTLAYERS_OPENCL_ROOT") is { Length: > 0 } prepared ? prepared : Path.Combine(cache, "fastlayers", "opencl");
        return [Path.Combine(root, "bin", "clang"), "clang", .. Enumerable.Range(FirstVersion, LastVersion - FirstVersion + 1).Reverse().Select(version => $"clang-{version}")];
    }

    private static bool Runs(string path)
    {
        try
        {
            return Run(path, ["--version"]).ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    /// <summary>A 64-bit device, not the host: no host type or intrinsic may slip in.</summary>
    private string? Complaint(string file)
    {
        var (exitCode, errors) = Run(_path, ["-x", "cl", "-cl-std=CL2.0", "--target=spir64-unknown-unknown", "-fsyntax-only", "-Werror=implicit-function-declaration", file]);
        return exitCode == 0 ? null : Array.Find(errors.Split('\n'), line => line.Contains("error:", StringComparison.Ordinal)) ?? $"{_path} ended with exit code {exitCode}";
    }

    private static (int ExitCode, string Errors) Run(string path, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, errors);
    }
}
