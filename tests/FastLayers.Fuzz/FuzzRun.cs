using System.Diagnostics;

namespace FastLayers.Fuzz;

/// <summary>
/// Runs numbered cases of one kind. A case is determined by kind, seed and number alone. It may be accepted, or refused by an
/// <see cref="InvalidDataException"/> or <see cref="NotSupportedException"/> whose message names the file (or by a
/// <see cref="FileNotFoundException"/> where a model has several files); anything else fails: other exceptions, more than
/// <see cref="MostSeconds"/>, more allocated bytes than <see cref="FreeBytes"/> + <see cref="BytesPerByte"/> × the files' bytes.
/// </summary>
public sealed class FuzzRun : IDisposable
{
    public const double MostSeconds = 2;
    public const long FreeBytes = 64 << 20;
    public const long BytesPerByte = 20;

    private readonly FuzzKind _kind;
    private readonly long _seed;
    private readonly FuzzSeed[] _seeds;

    public FuzzRun(FuzzKind kind, long seed)
    {
        _kind = kind;
        _seed = seed;
        _seeds = kind.Seeds();
        Folder = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"fastlayers-fuzz-{Environment.ProcessId}-{kind.Name}-{Guid.NewGuid():n}");
        foreach (var model in _seeds)
        {
            Directory.CreateDirectory(FolderOf(model));
            foreach (var file in model.Files) File.WriteAllBytes(Path.Combine(FolderOf(model), file.Name), file.Bytes);
        }
    }

    /// <summary>Where the files of the case in progress lie: memory, where the system has a folder for that.</summary>
    public string Folder { get; }

    /// <summary>Runs the cases from <paramref name="first"/> to before <paramref name="end"/>; each failure is saved and reported in a line.</summary>
    public FuzzSummary Cases(long first, long end, Action<string> report)
    {
        foreach (var model in _seeds) CheckSeed(model);
        long accepted = 0, refused = 0, failed = 0;
        var clock = Stopwatch.StartNew();
        for (var number = first; number < end; number++)
        {
            var random = new Random(HashOf(number));
            var model = _seeds[random.Next(_seeds.Length)];
            var file = model.Files[random.Next(model.Files.Length)];
            var mutated = new Mutator(random).Mutate(file, _seeds[random.Next(_seeds.Length)].Files[0].Bytes);
            var path = Path.Combine(FolderOf(model), file.Name);
            File.WriteAllBytes(path, mutated);
            var (isRefused, failure) = Run(model, random, FileBytes(model) - file.Bytes.Length + mutated.Length);
            if (failure is not null)
            {
                failed++;
                report($"{_kind.Name}: seed {_seed} case {number} ({model.Name}/{file.Name}): {failure}; saved as {Save(model, number)}");
            }
            else if (isRefused) refused++;
            else accepted++;
            File.WriteAllBytes(path, file.Bytes);
        }
        return new FuzzSummary(accepted, refused, failed, clock.Elapsed);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>A seed that is refused would make all of its cases meaningless.</summary>
    private void CheckSeed(FuzzSeed model)
    {
        if (Refusal(model, null) is { } refusal) throw new InvalidOperationException($"Seed {model.Name} is not valid: {refusal.Message}", refusal);
    }

    private (bool Refused, string? Failure) Run(FuzzSeed model, Random random, long fileBytes)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var start = Stopwatch.GetTimestamp();
        var refusal = Refusal(model, random);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var failure = refusal is not null && !IsFair(model, refusal) ? $"{refusal.GetType().Name}: {refusal.Message} {refusal.StackTrace}"
            : seconds > MostSeconds ? $"took {seconds:f1} s"
            : allocated > FreeBytes + BytesPerByte * fileBytes ? $"allocated {allocated} bytes for {fileBytes} bytes of files"
            : null;
        return (refusal is not null, failure);
    }

    private Exception? Refusal(FuzzSeed model, Random? random)
    {
        try
        {
            _kind.Use(Path.Combine(FolderOf(model), model.Opened), random);
            return null;
        }
#pragma warning disable CA1031 // any exception at all is a result here
        catch (Exception exception)
        {
            return exception;
        }
#pragma warning restore CA1031
    }

    private bool IsFair(FuzzSeed model, Exception refusal) =>
        (refusal is InvalidDataException or NotSupportedException || refusal is FileNotFoundException && model.Files.Length > 1)
        && model.Files.Any(file => refusal.Message.Contains(Path.Combine(FolderOf(model), file.Name), StringComparison.Ordinal));

    private string Save(FuzzSeed model, long number)
    {
        var target = Path.Combine(Path.GetTempPath(), "fastlayers-fuzz-failures", $"{_kind.Name}-{_seed}-{number}");
        Directory.CreateDirectory(target);
        foreach (var file in model.Files) File.Copy(Path.Combine(FolderOf(model), file.Name), Path.Combine(target, file.Name), overwrite: true);
        return target;
    }

    private string FolderOf(FuzzSeed model) => Path.Combine(Folder, model.Name);

    private static long FileBytes(FuzzSeed model) => model.Files.Sum(file => (long)file.Bytes.Length);

    /// <summary>Spreads seed and case number over the 31 bits that <see cref="Random"/> takes (the finalizer of SplitMix64).</summary>
    private int HashOf(long number)
    {
        var mixed = (ulong)_seed * 0x9E3779B97F4A7C15 + (ulong)number;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return (int)((mixed ^ (mixed >> 31)) & int.MaxValue);
    }
}
