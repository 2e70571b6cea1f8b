using FastLayers.Kernels.Formats;
using FastLayers.Synthesis;

namespace FastLayers.Tests.Sessions;

/// <summary>Looks at the memory of the whole process, so it runs while no other test does.</summary>
[Collection(Name)]
[CollectionDefinition(Name, DisableParallelization = true)]
public class AllocationTests
{
    public const string Name = "Alone";

    private const int StepsPerWindow = 40;

    [Theory]
    [InlineData("tiny64-f32", ActivationPrecision.Float32)]
    [InlineData("tiny256-Q4_K_M", ActivationPrecision.Int8)]
    public void A_decode_step_allocates_nothing(string name, ActivationPrecision activations)
    {
        using var model = TestModels.Load(name, activations);
        AssertAllocatesNothing(model);
    }

    [Theory]
    [InlineData("qwen3moe", "q8_0")]
    [InlineData("gemma3", "f16")]
    [InlineData("phi3", "q4_k")]
    [InlineData("olmo2", "bf16")]
    [InlineData("gpt2", "f32")]
    public void A_decode_step_of_any_architecture_allocates_nothing(string architecture, string format)
    {
        string path = Path.GetTempFileName();
        try
        {
            SyntheticModel.Write(path, SyntheticModelOptions.Parse("layers=2,width=256,ffn=256,vocabulary=320,context=256" + (architecture == "qwen3moe" ? ",experts=4,experts-used=2" : ""), architecture, format, 1));
            using var model = Model.Load(path);
            AssertAllocatesNothing(model);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Timing_an_operation_allocates_nothing()
    {
        using var device = new CpuDevice(1);
        using var tensor = device.Allocate(Format.F32, 1, 4);
        Assert.Equal(0, Allocations.Least(() => device.Clear(tensor, 1, 4)));
        device.Profile = new DeviceProfile();
        Assert.Equal(0, Allocations.Least(() => device.Clear(tensor, 1, 4)));
        Assert.Single(device.Profile.Operations);
    }

    private static void AssertAllocatesNothing(Model model)
    {
        using var session = model.CreateSession();
        var logits = new float[model.Config.VocabularySize];
        for (int i = 0; i < 70; i++) Step(session, i, logits);

        // The count is of the whole process, so that worker threads are in it, and now and then something else of the runtime is too. A pass
        // that allocates does so in every window, at least 24 bytes a step.
        Assert.InRange(Enumerable.Range(0, 3).Min(_ => AllocatedBytes(session, logits)), 0, StepsPerWindow - 1);
    }

    private static long AllocatedBytes(Session session, float[] logits)
    {
        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < StepsPerWindow; i++) Step(session, i, logits);
        return GC.GetTotalAllocatedBytes(precise: true) - before;
    }

    [Fact]
    public void A_large_context_takes_memory_only_where_it_is_used()
    {
        using var model = TestModels.Load("tiny64-f32");
        long before = Environment.WorkingSet;
        using var session = model.CreateSession(new SessionOptions { ContextLength = 512, SequenceCount = 10_000 });
        session.Append([1]);

        Assert.True(session.CacheBytes > 500_000_000, $"{session.CacheBytes} bytes prove nothing.");
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, session.CacheBytes / 2);
    }

    private static void Step(Session session, int i, float[] logits)
    {
        session.Append([i % 200]);
        session.Logits(logits);
    }
}
