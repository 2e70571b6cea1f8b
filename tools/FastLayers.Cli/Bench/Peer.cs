namespace FastLayers.Cli.Bench;

/// <summary>The engines that can be measured beside FastLayers, each a program in <c>perf/peers</c> of the repository.</summary>
internal static class Peer
{
    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = ["llama.cpp", Products];

    /// <summary>The one that runs no models here, but their products.</summary>
    public const string Products = "onnxruntime";

    /// <summary>The program <c>perf/peers/NAME/run</c> in the working folder, in that of the command, or in one above either.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static string Find(string name)
    {
        foreach (string start in (string[])[Environment.CurrentDirectory, AppContext.BaseDirectory])
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                string program = Path.Combine(folder.FullName, "perf", "peers", name, "run");
                if (File.Exists(program)) return program;
            }
        }

        throw new UsageException($"--peer {name} needs perf/peers/{name}/run of the repository, which is not above the working folder; name it with --peer-path.");
    }
}
