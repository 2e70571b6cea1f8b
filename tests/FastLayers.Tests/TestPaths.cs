namespace FastLayers.Tests;

/// <summary>Where the tests find models and data.</summary>
internal static class TestPaths
{
    /// <summary>Names a folder with reference models that are too large for the repository; see CONTRIBUTING.md.</summary>
    public const string ReferenceVariable = "FASTLAYERS_REFERENCE";

    public static string Repository { get; } = FindRepository();

    public static string Data(params string[] parts) => Path.Combine([AppContext.BaseDirectory, "data", .. parts]);

    public static string Sample(string name) => Path.Combine(Repository, "samples", "stories260K", name);

    /// <summary>A file of the reference folder; skips the test, with the reason, where there is none.</summary>
    public static string Reference(params string[] parts)
    {
        string? folder = Environment.GetEnvironmentVariable(ReferenceVariable);
        Assert.SkipWhen(string.IsNullOrEmpty(folder), $"{ReferenceVariable} does not name a folder with the reference models ({Path.Combine(parts)} is not part of the repository).");
        string path = Path.Combine([folder!, .. parts]);
        Assert.SkipUnless(File.Exists(path), $"{path} does not exist.");
        return path;
    }

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FastLayers.sln"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException("FastLayers.sln is in no folder above the tests.");
    }
}
