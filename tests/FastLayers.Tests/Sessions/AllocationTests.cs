namespace FastLayers.Tests.Sessions;

/// <summary>Counts the allocations of the whole process, so it runs while no other test does.</summary>
[Collection(Name)]
[CollectionDefinition(Name, DisableParallelization = true)]
public class AllocationTests
{
    public const string Name = "Alone";

    [Theory]
    [InlineData("tiny64-f32", ActivationPrecision.Float32)]
    [InlineData("tiny256-Q4_K_M", ActivationPrecision.Int8)]
    public void A_decode_step_allocates_nothing(string name, ActivationPrecision activations)
    {
        using var model = TestModels.Load(name, activations);
        using var session = model.CreateSession();
        var logits = new float[model.Config.VocabularySize];
        for (int i = 0; i < 70; i++) Step(session, i, logits);

        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < 130; i++) Step(session, i, logits);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        // The count is of the whole process, worker threads included; one allocation a step would be at least 24 bytes times 130.
        Assert.InRange(allocated, 0, 129);
    }

    private static void Step(Session session, int i, float[] logits)
    {
        session.Append([i % 200]);
        session.Logits(logits);
    }
}
