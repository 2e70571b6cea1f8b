using FastLayers.Kernels.Rotary;
using FsCheck.Xunit;

namespace FastLayers.Conformance.Rotary;

[Properties(Arbitrary = [typeof(AnyRowArbitrary)])]
public sealed class RotaryProperties
{
    [Property]
    public void Rotating_back_restores_the_head(AnyRow row, bool halves, short position)
    {
        var (head, cosine, sine, rotated) = Angles(row, position);
        float[] turned = [.. head], back = [.. sine.Select(value => -value)];
        var style = halves ? RotaryStyle.Halves : RotaryStyle.Adjacent;
        RotaryEmbedding.Row(row.Level, turned, head.Length, cosine, sine, rotated, style);
        RotaryEmbedding.Row(row.Level, turned, head.Length, cosine, back, rotated, style);
        for (var i = 0; i < head.Length; i++) Assert.Equal(head[i], turned[i], 1e-6 * head.Max(Math.Abs) + 1e-30);
    }

    [Property]
    public void Scores_depend_on_the_distance_alone(AnyRow row, bool halves, byte position, byte distance)
    {
        var style = halves ? RotaryStyle.Halves : RotaryStyle.Adjacent;
        var near = Score(row, style, distance, 0);
        var far = Score(row, style, position + distance, position);
        Assert.Equal(near, far, 1e-5 * row.Values.Sum(value => (double)value * value) + 1e-30);
    }

    [Property]
    public void Position_zero_changes_nothing_and_the_rest_of_a_head_never_changes(AnyRow row, bool halves, short position)
    {
        var style = halves ? RotaryStyle.Halves : RotaryStyle.Adjacent;
        var (head, cosine, sine, rotated) = Angles(row, 0);
        float[] turned = [.. head];
        RotaryEmbedding.Row(row.Level, turned, head.Length, cosine, sine, rotated, style);
        Assert.Equal(head, turned);

        (head, cosine, sine, rotated) = Angles(row, position);
        RotaryEmbedding.Row(row.Level, turned, head.Length, cosine, sine, rotated, style);
        Assert.Equal(head[rotated..], turned[rotated..]);
    }

    [Fact]
    public void Styles_pair_different_elements()
    {
        float[] adjacent = [1, 0, 2, 0], halves = [1, 2, 0, 0];
        RotaryEmbedding.Head(adjacent, [0, 0], [1, 1], 4, RotaryStyle.Adjacent);
        RotaryEmbedding.Head(halves, [0, 0], [1, 1], 4, RotaryStyle.Halves);
        Assert.Equal([0, 1, 0, 2], adjacent);
        Assert.Equal([0, 0, 1, 2], halves);
    }

    private static double Score(AnyRow row, RotaryStyle style, int queryPosition, int keyPosition)
    {
        var (query, cosine, sine, rotated) = Angles(row, queryPosition);
        RotaryEmbedding.Row(row.Level, query, query.Length, cosine, sine, rotated, style);
        (var key, cosine, sine, rotated) = Angles(row, keyPosition);
        Array.Reverse(key);
        RotaryEmbedding.Row(row.Level, key, key.Length, cosine, sine, rotated, style);
        return query.Zip(key, (a, b) => (double)a * b).Sum();
    }

    private static (float[] Head, float[] Cosine, float[] Sine, int Rotated) Angles(AnyRow row, int position)
    {
        var rotated = row.Values.Length / 2 * 2;
        float[] cosine = new float[rotated / 2], sine = new float[rotated / 2];
        if (rotated > 0) RotaryFrequencies.Create(rotated, 10_000).Fill(position, cosine, sine);
        return ([.. row.Values], cosine, sine, rotated);
    }
}
