using System.Globalization;
using FastLayers.Peers.LlamaCpp;

// Answers lines of the standard input until it ends; README.md lists them. Each answer is one line.
try
{
    var options = EngineOptions.Parse(args);
    LlamaLibrary.Open(options.Library);
    string description = $"llama.cpp {LlamaLibrary.Version}, {LlamaLibrary.ProcessorVariant} kernels; {LlamaLibrary.SystemInfo}";
    if (options.Model.Length == 0)
    {
        Answer(description);
        return 0;
    }

    using var engine = new LlamaEngine(options);
    Answer("ready " + description);
    while (Console.In.ReadLine() is { } line)
    {
        var sample = line.Split(' ') switch
        {
            ["prefill", var tokens, "depth", var depth] => engine.Prefill(Number(tokens), Number(depth)),
            ["decode", var tokens, "depth", var depth, "batch", var batch] => engine.Decode(Number(tokens), Number(depth), Number(batch)),
            _ => throw new ArgumentException($"Expected 'prefill N depth D' or 'decode N depth D batch B', found '{line}'."),
        };
        Answer(string.Create(CultureInfo.InvariantCulture, $"done {Nanoseconds(sample.Wall)} {Nanoseconds(sample.Cpu)}"));
    }

    return 0;
}
catch (Exception exception) when (exception is ArgumentException or FormatException or IOException or InvalidOperationException or DllNotFoundException or EntryPointNotFoundException or InvalidDataException)
{
    Answer("error " + exception.Message.ReplaceLineEndings(" "));
    return 1;
}

static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

static long Nanoseconds(TimeSpan time) => time.Ticks * TimeSpan.NanosecondsPerTick;

static void Answer(string line)
{
    Console.Out.WriteLine(line);
    Console.Out.Flush();
}
