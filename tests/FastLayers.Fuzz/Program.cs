using System.Globalization;
using FastLayers.Fuzz;

// fuzz --count N --seed S --kind gguf|safetensors|tokenizer|all [--case I]
// Exit code 0: every case was accepted or refused in words. 1: a case failed and was saved. 2: the arguments make no sense.
// A case that takes the process down with it stays in the work folder printed at the start.
long count = 100_000, seed = 1;
long? only = null;
var kind = "all";
for (var index = 0; index < args.Length; index += 2)
{
    var value = index + 1 < args.Length ? args[index + 1] : "";
    var isNumber = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
    switch (args[index])
    {
        case "--count" when isNumber: count = number; break;
        case "--seed" when isNumber: seed = number; break;
        case "--case" when isNumber: only = number; break;
        case "--kind": kind = value; break;
        default:
            Console.Error.WriteLine($"{args[index]} {value}: expected --count N, --seed S, --kind {FuzzKind.Names}|all or --case I");
            return 2;
    }
}

var kinds = FuzzKind.All.Where(candidate => kind == "all" || kind == candidate.Name).ToArray();
if (kinds.Length == 0)
{
    Console.Error.WriteLine($"--kind {kind}: expected {FuzzKind.Names} or all");
    return 2;
}

var failed = false;
foreach (var each in kinds)
{
    using var run = new FuzzRun(each, seed);
    Console.WriteLine($"{each.Name}: seed {seed}, work folder {run.Folder}");
    var (first, end) = only is { } one ? (one, one + 1) : (0, count / kinds.Length);
    var summary = run.Cases(first, end, Console.WriteLine);
    Console.WriteLine($"{each.Name}: {summary}");
    failed |= summary.Failed > 0;
}
return failed ? 1 : 0;
