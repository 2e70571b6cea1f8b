using FastLayers.Kernels.Formats;

namespace FastLayers.Tests;

/// <summary>Models and inputs that several tests share.</summary>
internal static class TestModels
{
    public static string LlamaCpp(string name) => TestPaths.Data("llama.cpp", "models", name + ".gguf");

    public static Model Load(string name, ActivationPrecision activations = ActivationPrecision.Float32, int threads = 0) =>
        Model.Load(LlamaCpp(name), threads == 0 ? Device.Cpu : new CpuDevice(threads), new ModelOptions { Activations = activations });

    /// <summary>The 32 token ids of every reference run.</summary>
    public static int[] ReferenceIds(string run) =>
        [.. File.ReadLines(TestPaths.Data("llama.cpp", "logits", run + ".tokens.txt")).First().Split(' ').Select(s => int.Parse(s, System.Globalization.CultureInfo.InvariantCulture))];

    public static float[] ReadFloats(params string[] path) =>
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(TestPaths.Data(path))).ToArray();

    public static int[] RandomIds(int count, int vocabulary, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
    }

    public static SessionOptions F32Cache => new() { KeyFormat = Format.F32, ValueFormat = Format.F32 };

    public static double MaxDifference(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double max = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs((double)expected[i] - actual[i]);
            if (!(difference <= max)) max = difference;
        }

        return max;
    }

    /// <summary>Root of the mean square of the difference over that of the expected values.</summary>
    public static double RelativeRms(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = 0;
        double size = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            error += Math.Pow((double)expected[i] - actual[i], 2);
            size += Math.Pow(expected[i], 2);
        }

        return Math.Sqrt(error / size);
    }
}
