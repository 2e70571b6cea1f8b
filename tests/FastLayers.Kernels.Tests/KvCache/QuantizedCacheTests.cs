using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Tests.KvCache;

/// <summary>What a quantized cache promises beyond equal bytes: pages that only grow, bounded errors, groups with special content.</summary>
public sealed unsafe class QuantizedCacheTests
{
    public static TheoryData<int, bool> Kinds => new() { { 2, false }, { 4, false }, { 8, false }, { 16, false }, { 2, true }, { 4, true }, { 8, true } };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Pages_do_not_depend_on_how_tokens_arrive_and_never_change(int bits, bool kivi)
    {
        const int tokens = 150;
        using var whole = new CacheMemory(bits, kivi, 40, 3, tokens);
        using var single = new CacheMemory(bits, kivi, 40, 3, tokens);
        var keys = CacheMemory.Noise(1, tokens * 3 * 40);
        var values = CacheMemory.Noise(2, tokens * 3 * 40);
        whole.Append(keys, values, 0, tokens);
        Assert.Contains(whole.Values.ToArray(), b => b != 0);
        for (int token = 0; token < tokens; token++)
        {
            var keysBefore = single.Keys.ToArray();
            var valuesBefore = single.Values.ToArray();
            single.Append(keys, values, token, token + 1);

            // In the tail what was appended is what is read, bit by bit, until its group is full.
            if (kivi && token % 32 != 31)
            {
                Assert.Equal(keys[token * 3 * 40], QuantizedCacheReference.Key(single.Cache, 0, token, 0, 0));
                Assert.Equal(values[(token * 3 * 40) + 119], QuantizedCacheReference.Value(single.Cache, 0, token, 2, 39));
            }

            // Cleared memory: words of tokens to come are zero, and bits may only be written where none were before.
            Assert.True(UnchangedWhereWritten(keysBefore, single.Keys, single, single.Cache.KeyLayout, token));
            Assert.True(UnchangedWhereWritten(valuesBefore, single.Values, single, single.Cache.ValueLayout, token));
        }

        Assert.Equal(whole.Keys.ToArray(), single.Keys.ToArray());
        Assert.Equal(whole.Values.ToArray(), single.Values.ToArray());
        Assert.Equal(Tail(whole.Cache.KeyTail, whole.Cache.KeyLayout), Tail(single.Cache.KeyTail, single.Cache.KeyLayout));
        Assert.Equal(Tail(whole.Cache.ValueTail, whole.Cache.ValueLayout), Tail(single.Cache.ValueTail, single.Cache.ValueLayout));

        static float[] Tail(float* tail, QuantizedPageLayout layout) => new ReadOnlySpan<float>(tail, layout.TailLength).ToArray();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Values_that_waited_for_their_group_get_the_bytes_of_those_that_did_not(int bits)
    {
        const int tokens = 150, size = 40, heads = 3;
        using var waited = new CacheMemory(bits, true, size, heads, tokens);
        using var direct = new CacheMemory(bits, false, size, heads, tokens);
        var values = CacheMemory.Noise(7, tokens * heads * size);
        waited.Append(values, values, 0, tokens);
        direct.Append(values, values, 0, tokens - (tokens % 32));
        Assert.Equal(direct.Values.ToArray(), waited.Values.ToArray());
    }

    [Fact]
    public void A_cache_that_was_shortened_into_its_tail_goes_on_from_there()
    {
        const int tokens = 90, size = 24;
        using var shortened = new CacheMemory(4, true, size, 1, tokens);
        using var straight = new CacheMemory(4, true, size, 1, tokens);
        var first = CacheMemory.Noise(8, tokens * size);
        var second = CacheMemory.Noise(9, tokens * size);
        first.AsSpan(0, 70 * size).CopyTo(second);
        shortened.Append(first, first, 0, 84);
        shortened.Append(second, second, 70, tokens);
        straight.Append(second, second, 0, tokens);
        for (int i = 0; i < tokens * size; i++)
        {
            Assert.Equal(QuantizedCacheReference.Key(straight.Cache, 0, i / size, 0, i % size), QuantizedCacheReference.Key(shortened.Cache, 0, i / size, 0, i % size));
            Assert.Equal(QuantizedCacheReference.Value(straight.Cache, 0, i / size, 0, i % size), QuantizedCacheReference.Value(shortened.Cache, 0, i / size, 0, i % size));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Codes_are_those_of_a_plain_quantizer(int bits, bool kivi)
    {
        if (bits == 16) return;
        const int size = 40, heads = 2, tokens = 64;
        using var memory = new CacheMemory(bits, kivi, size, heads, tokens);
        var keys = CacheMemory.Noise(3, tokens * heads * size);
        memory.Append(keys, keys, 0, tokens);
        int levels = (1 << bits) - 1;
        for (int head = 0; head < heads; head++)
        {
            for (int channel = 0; channel < size; channel++)
            {
                for (int token = 0; token < tokens; token++)
                {
                    float[] group = kivi
                        ? [.. Enumerable.Range(token / 32 * 32, 32).Select(t => keys[(((t * heads) + head) * size) + channel])]
                        : [.. Enumerable.Range(channel / 32 * 32, Math.Min(32, size - (channel / 32 * 32))).Select(c => keys[(((token * heads) + head) * size) + c])];
                    float minimum = (float)(Half)group.Min();
                    float scale = (float)(Half)((group.Max() - group.Min()) * (1f / levels));
                    float x = keys[(((token * heads) + head) * size) + channel];
                    double code = Math.Clamp(Math.Round((x - minimum) / (double)scale), 0, levels);
                    float decoded = QuantizedCacheReference.Key(memory.Cache, 0, token, head, channel);
                    Assert.Equal(minimum + (scale * (float)code), decoded);

                    // Half a step, and what the rounding of the parameters to halves adds: less than a cache of halves may lose.
                    Assert.True(Math.Abs(decoded - x) <= (scale / 2 * 1.000001) + (Math.Max(Math.Abs(group.Min()), Math.Abs(group.Max())) * 0.0015));
                }
            }
        }
    }

    [Fact]
    public void Fewer_bits_lose_more()
    {
        double[] errors = [.. new[] { 2, 4, 8, 16 }.Select(bits =>
        {
            using var memory = new CacheMemory(bits, false, 64, 1, 32);
            var keys = CacheMemory.Noise(4, 32 * 64);
            memory.Append(keys, keys, 0, 32);
            return Enumerable.Range(0, 32 * 64).Sum(i => Math.Pow(QuantizedCacheReference.Key(memory.Cache, 0, i / 64, 0, i % 64) - keys[i], 2));
        })];
        Assert.True(errors[0] > 4 * errors[1] && errors[1] > 50 * errors[2] && errors[2] > errors[3], string.Join(' ', errors));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Equal_values_stay_as_they_are(bool kivi)
    {
        foreach (float value in new[] { 0f, -0f, 1.5f, -60000f })
        {
            using var memory = new CacheMemory(4, kivi, 24, 1, 32);
            var keys = new float[32 * 24];
            keys.AsSpan().Fill(value);
            memory.Append(keys, keys, 0, 32);
            Assert.All(Enumerable.Range(0, 32 * 24), i => Assert.Equal(value, QuantizedCacheReference.Key(memory.Cache, 0, i / 24, 0, i % 24)));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(-1e5f)]
    [InlineData(1e7f)]
    public void Values_that_cannot_be_stored_spoil_their_group_only(float value)
    {
        using var memory = new CacheMemory(4, false, 64, 2, 1);
        var keys = CacheMemory.Noise(5, 2 * 64);
        keys[40] = value;
        memory.Append(keys, keys, 0, 1);
        for (int i = 0; i < 128; i++) Assert.Equal(i is >= 32 and < 64, float.IsNaN(QuantizedCacheReference.Key(memory.Cache, 0, 0, i / 64, i % 64)));
        using var channels = new CacheMemory(4, true, 8, 1, 32);
        keys = CacheMemory.Noise(6, 32 * 8);
        keys[(7 * 8) + 3] = value;
        channels.Append(keys, keys, 0, 32);
        for (int i = 0; i < 32 * 8; i++) Assert.Equal(i % 8 == 3, float.IsNaN(QuantizedCacheReference.Key(channels.Cache, 0, i / 8, 0, i % 8)));
    }

    [Fact]
    public void Codes_are_right_on_both_sides_of_every_border()
    {
        // A scale whose quotients are not exact; values on the borders between codes and the floats beside them.
        const float hi = 2.9f;
        float scale = (float)(Half)(hi * (1f / 15));
        var values = new List<float> { 0, hi };
        for (int code = 0; code < 10; code++)
        {
            float border = (code + 0.5f) * scale;
            values.AddRange([MathF.BitDecrement(border), border, MathF.BitIncrement(border)]);
        }

        using var memory = new CacheMemory(4, false, 32, 1, 1);
        memory.Append([.. values], [.. values], 0, 1);
        for (int i = 2; i < 32; i++)
        {
            int code = (i - 2) / 3;
            int expected = ((i - 2) % 3) switch { 0 => code, 1 => code + (code & 1), _ => code + 1 };
            Assert.Equal(expected * scale, QuantizedCacheReference.Key(memory.Cache, 0, 0, 0, i));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(32)]
    public void Other_numbers_of_bits_are_refused(int bits)
    {
        Assert.Contains("2, 4, 8 or 16", Assert.Throws<ArgumentOutOfRangeException>(() => QuantizedPageLayout.PerToken(1, 64, bits)).Message, StringComparison.Ordinal);
        Assert.Contains("2, 4, 8 or 16", Assert.Throws<ArgumentOutOfRangeException>(() => QuantizedPageLayout.PerChannel(1, 64, bits)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(48)]
    [InlineData(-16)]
    public void Groups_are_powers_of_two(int group) => Assert.Throws<ArgumentOutOfRangeException>(() => QuantizedPageLayout.PerToken(1, 64, 4, group));

    [Fact]
    public void Bytes_of_a_page_are_codes_and_parameters()
    {
        Assert.Equal(8 * 64 * ((128 / 2) + 4), QuantizedPageLayout.PerToken(8, 128, 4, 0).PageBytes); // 4 bits + 32 / 128
        Assert.Equal(8 * 64 * ((128 / 4) + 16), QuantizedPageLayout.PerToken(8, 128, 2).PageBytes); // 2 bits + 32 / 32
        Assert.Equal(8 * 64 * ((128 / 2) + 16), QuantizedPageLayout.PerChannel(8, 128, 4).PageBytes); // 4 bits + 32 / 32
        Assert.Equal(8 * 64 * 128 * 2, QuantizedPageLayout.PerToken(8, 128, 16).PageBytes);
        Assert.Equal(QuantizedPageLayout.PerToken(8, 128, 4).PageBytes, QuantizedPageLayout.PerToken(8, 128, 4, tail: true).PageBytes);
    }

    [Fact]
    public void Tails_hold_a_group_of_floats_where_tokens_wait_for_it()
    {
        Assert.Equal(8 * 32 * 128, QuantizedPageLayout.PerChannel(8, 128, 4).TailLength);
        Assert.Equal(8 * 32 * 128, QuantizedPageLayout.PerToken(8, 128, 4, tail: true).TailLength);
        Assert.Equal(0, QuantizedPageLayout.PerToken(8, 128, 4).TailLength);
        Assert.Equal(0, QuantizedPageLayout.PerChannel(8, 128, 16).TailLength);
        Assert.Equal(0, QuantizedPageLayout.PerToken(8, 128, 16, tail: true).TailLength);
    }

    /// <summary>Whether no word of an earlier token changed: those of other tokens, or of other groups where tokens wait for their group.</summary>
    private static bool UnchangedWhereWritten(byte[] before, ReadOnlySpan<byte> after, CacheMemory memory, QuantizedPageLayout layout, int token)
    {
        bool completes = token % 32 == 31;
        for (int i = 0; i < before.Length; i++)
        {
            if (before[i] == after[i]) continue;
            int page = memory.PageOf(token);
            int inHead = i % layout.HeadBytes;
            if (i / layout.PageBytes != page) return false;
            bool mine = layout.Bits == 16 ? inHead / (layout.Size * 2) == token % 64
                : layout.ChannelScales != 0 ? completes && inHead / (layout.BlockWords * 4) == token % 64 / 32
                : Mine(inHead / 4 < layout.ParameterWord ? inHead / 4 / layout.RowWords : ((inHead / 4) - layout.ParameterWord) / layout.Groups);
            if (!mine) return false;
        }

        return true;

        bool Mine(int written) => layout.TailTokens == 0 ? written == token % 64 : completes && written / 32 == token % 64 / 32;
    }
}
