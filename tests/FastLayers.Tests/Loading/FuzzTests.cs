using FastLayers.Fuzz;

namespace FastLayers.Tests.Loading;

public sealed class FuzzTests
{
    private const int Count = 3000;

    public static TheoryData<string> Kinds => [.. FuzzKind.All.Select(kind => kind.Name)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Damaged_files_are_accepted_or_refused_in_words(string name)
    {
        var failures = new List<string>();
        using var run = new FuzzRun(FuzzKind.All.Single(kind => kind.Name == name), seed: 20260801);
        var summary = run.Cases(0, Count, failures.Add);
        Assert.Empty(failures);
        Assert.Equal(Count, summary.Count);
        Assert.True(summary.Accepted > Count / 50 && summary.Refused > Count / 2, summary.ToString());
    }

    [Fact]
    public void A_failure_is_counted_reported_and_saved()
    {
        var kind = new FuzzKind("broken", GgufSeeds.Make, (path, random) =>
        {
            if (random is not null) throw new ArithmeticException(path);
        });
        var failures = new List<string>();
        using var run = new FuzzRun(kind, seed: 1);
        Assert.Equal(2, run.Cases(5, 7, failures.Add).Failed);
        Assert.StartsWith("broken: seed 1 case 5 (", failures[0], StringComparison.Ordinal);
        var saved = failures[0][(failures[0].LastIndexOf(' ') + 1)..];
        Assert.True(File.Exists(Path.Combine(saved, "model.gguf")));
        Directory.Delete(saved, recursive: true);
    }

    [Fact]
    public void A_refusal_without_the_file_name_is_a_failure()
    {
        var kind = new FuzzKind("wordless", GgufSeeds.Make, (_, random) =>
        {
            if (random is not null) throw new InvalidDataException("Something is wrong.");
        });
        using var run = new FuzzRun(kind, seed: 1);
        Assert.Equal(1, run.Cases(0, 1, static _ => { }).Failed);
    }
}
