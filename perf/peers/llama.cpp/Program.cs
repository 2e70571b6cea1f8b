using FastLayers.Peers.LlamaCpp;
using static FastLayers.Peers.PeerLines;

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
        Done(sample.Wall, sample.Cpu);
    }

    return 0;
}
catch (Exception exception) when (exception is ArgumentException or FormatException or IOException or InvalidOperationException or DllNotFoundException or EntryPointNotFoundException or InvalidDataException)
{
    Error(exception);
    return 1;
}
