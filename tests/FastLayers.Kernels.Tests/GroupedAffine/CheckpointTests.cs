using FastLayers.Kernels.GroupedAffine;

namespace FastLayers.Kernels.Tests.GroupedAffine;

/// <summary>The three kinds of checkpoints, on words computed by hand or packed by the rule of their packers.</summary>
public sealed class CheckpointTests
{
    [Fact]
    public void Gptq_4_bit_words_are_the_streams_of_their_outputs()
    {
        var layout = new GroupedAffineLayout(4, 32, 32, 32);
        int[] qweight = new int[4 * 32], codes = new int[layout.WordCount];
        float[] qscales = new float[32], scales = new float[32], zeros = new float[32];
        qweight[(0 * 32) + 5] = 0x76543210;
        qweight[(3 * 32) + 5] = unchecked((int)0xF0000008);
        int[] qzeros = [0x76543210, unchecked((int)0xFEDCBA98), 0, 0];
        qscales[5] = 0.5f;
        GptqCheckpoint.Convert(layout, qweight, qzeros, qscales, GptqZeros.MinusOne, [], codes, scales, zeros);
        for (int k = 0; k < 8; k++) Assert.Equal(k, Code(layout, codes, 5, k));
        Assert.Equal((8, 15), (Code(layout, codes, 5, 24), Code(layout, codes, 5, 31)));
        Assert.Equal(0, Code(layout, codes, 4, 1));
        Assert.Equal((0.5f, 0f), (scales[5], scales[4]));

        // Stored 0 to 15 one less than the zero; 15 stands for 0.
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0], zeros[..16]);
        GptqCheckpoint.Convert(layout, qweight, qzeros, qscales, GptqZeros.Plain, [], codes, scales, zeros);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], zeros[..16]);
    }

    [Fact]
    public void Gptq_3_bit_codes_10_and_21_lie_in_two_words_and_zero_8_stays()
    {
        // Codes 10 and 21 are 5 = 101: bits 30 to 32 and 63 to 65 of 96; all others are 0.
        var layout = new GroupedAffineLayout(3, 32, 32, 32);
        int[] qweight = new int[3 * 32], codes = new int[layout.WordCount];
        float[] scales = new float[32], zeros = new float[32];
        qweight[7] = 1 << 30;
        qweight[32 + 7] = 1 | (1 << 31);
        qweight[64 + 7] = 1 << 1;

        // Zero of output 0 is 7, of output 10 it is 5, stored one less or not.
        int[] qzeros = [7 | (1 << 30), 1, 0];
        GptqCheckpoint.Convert(layout, qweight, qzeros, new float[32], GptqZeros.MinusOne, [], codes, scales, zeros);
        for (int k = 0; k < 32; k++) Assert.Equal(k is 10 or 21 ? 5 : 0, Code(layout, codes, 7, k));
        Assert.Equal((8f, 1f, 6f), (zeros[0], zeros[1], zeros[10]));
        GptqCheckpoint.Convert(layout, qweight, qzeros, new float[32], GptqZeros.Plain, [], codes, scales, zeros);
        Assert.Equal((7f, 0f, 5f), (zeros[0], zeros[1], zeros[10]));
    }

    [Fact]
    public void Gptq_group_index_becomes_an_order_in_which_groups_stand_together()
    {
        var layout = new GroupedAffineLayout(2, 32, 32, 8);
        int[] groupIndex = [.. Enumerable.Range(0, 32).Select(column => column % 4)];
        int[] order = new int[32], qweight = new int[2 * 32], codes = new int[layout.WordCount];
        Assert.True(GptqCheckpoint.Order(layout, groupIndex, order));
        Assert.Equal([0, 4, 8, 12, 16, 20, 24, 28, 1, 5], order[..10]);

        // Column 4 of output 3 has code 2, column 17 code 3: places 1, and 8 + 4.
        qweight[3] = 2 << 8;
        qweight[32 + 3] = 3 << 2;
        GptqCheckpoint.Convert(layout, qweight, new int[4 * 2], new float[4 * 32], GptqZeros.Plain, order, codes, new float[128], new float[128]);
        for (int place = 0; place < 32; place++) Assert.Equal(place == 1 ? 2 : place == 12 ? 3 : 0, Code(layout, codes, 3, place));
        Assert.False(GptqCheckpoint.Order(layout, [.. Enumerable.Range(0, 32).Select(column => column / 8)], order));
    }

    [Fact]
    public void Gptq_refuses_what_does_not_fit()
    {
        var layout = new GroupedAffineLayout(4, 32, 64, 32);
        int[] order = new int[64], codes = new int[layout.WordCount];
        float[] groups = new float[layout.GroupCount];
        int[] twoGroups = [.. Enumerable.Range(0, 64).Select(column => column / 32)];
        Assert.Contains("2 groups", Assert.Throws<ArgumentException>(() => GptqCheckpoint.Order(layout, [2, .. twoGroups[1..]], order)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => GptqCheckpoint.Order(layout, [-1, .. twoGroups[1..]], order));
        Assert.Contains("more columns", Assert.Throws<ArgumentException>(() => GptqCheckpoint.Order(layout, new int[64], order)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => GptqCheckpoint.Order(layout, twoGroups.AsSpan(1), order));
        Assert.Contains("256", Assert.Throws<ArgumentException>(() => GptqCheckpoint.Convert(layout, new int[255], new int[8], new float[64], GptqZeros.Plain, [], codes, groups, groups)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => GptqCheckpoint.Convert(layout, new int[256], new int[7], new float[64], GptqZeros.Plain, [], codes, groups, groups));
        Assert.Throws<ArgumentException>(() => GptqCheckpoint.Convert(layout, new int[256], new int[8], new float[63], GptqZeros.Plain, [], codes, groups, groups));
        Assert.Throws<ArgumentException>(() => GptqCheckpoint.Convert(new(4, 31, 64, 32), new int[248], new int[8], new float[62], GptqZeros.Plain, [], codes, groups, groups));
        GptqCheckpoint.Convert(layout, new int[256], new int[8], new float[64], GptqZeros.Plain, [], codes, groups, groups);
    }

    [Fact]
    public void Awq_words_hold_outputs_0_2_4_6_1_3_5_7()
    {
        var layout = new GroupedAffineLayout(4, 8, 32, 32);
        int[] qweight = new int[32], codes = new int[layout.WordCount];
        float[] scales = new float[8], zeros = new float[8];
        qweight[9] = 0x76543210;
        int[] outputs = [0, 2, 4, 6, 1, 3, 5, 7];
        AwqCheckpoint.Convert(layout, qweight, [unchecked((int)0xFEDCBA98)], [1, 2, 3, 4, 5, 6, 7, 8], codes, scales, zeros);
        for (int nibble = 0; nibble < 8; nibble++)
        {
            Assert.Equal(nibble, Code(layout, codes, outputs[nibble], 9));
            Assert.Equal(nibble + 8, zeros[outputs[nibble]]);
            Assert.Equal(0, Code(layout, codes, nibble, 8));
            Assert.Equal(nibble + 1, scales[nibble]);
        }

        Assert.Throws<ArgumentException>(() => AwqCheckpoint.Convert(new(8, 8, 32, 32), qweight, [0], new float[8], codes, scales, zeros));
        Assert.Throws<ArgumentException>(() => AwqCheckpoint.Convert(new(4, 7, 32, 32), qweight, [0], new float[7], codes, scales, zeros));
        Assert.Throws<ArgumentException>(() => AwqCheckpoint.Convert(layout, qweight.AsSpan(1), [0], new float[8], codes, scales, zeros));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Hqq_bytes_hold_rows_of_groups_in_strides(int bits)
    {
        var layout = new GroupedAffineLayout(bits, 4, 64, 32);
        int perByte = 8 / bits, rows = 8 / perByte;
        byte[] packed = new byte[rows * 32];
        for (int row = 0; row < 8; row++)
        {
            for (int i = 0; i < 32; i++) packed[((row % rows) * 32) + i] |= (byte)(Expected(row, i, bits) << (8 - (bits * ((row / rows) + 1))));
        }

        int[] codes = new int[layout.WordCount];
        float[] groupScales = [.. Enumerable.Range(0, 8).Select(i => i + 0.5f)], groupZeros = [.. Enumerable.Range(0, 8).Select(i => i + 0.25f)], scales = new float[8], zeros = new float[8];
        HqqCheckpoint.Convert(layout, packed, groupScales, groupZeros, codes, scales, zeros);
        CheckHqq(layout, codes);
        Assert.Equal(groupScales, scales);
        Assert.Equal(groupZeros, zeros);
        Assert.Throws<ArgumentException>(() => HqqCheckpoint.Convert(layout, packed.AsSpan(1), groupScales, groupZeros, codes, scales, zeros));
        Assert.Throws<ArgumentException>(() => HqqCheckpoint.Convert(layout, packed, groupScales.AsSpan(1), groupZeros, codes, scales, zeros));
        Assert.Throws<ArgumentException>(() => HqqCheckpoint.Convert(layout, new int[packed.Length], groupScales, groupZeros, codes, scales, zeros));
        Assert.Throws<ArgumentException>(() => HqqCheckpoint.PackedLength(new(bits, 4, 64, 48)));
    }

    [Fact]
    public void Hqq_3_bit_integers_hold_ten_rows()
    {
        // 12 groups in 2 rows of integers, of 20: the last eight are missing.
        var layout = new GroupedAffineLayout(3, 6, 64, 32);
        int[] packed = new int[2 * 32], codes = new int[layout.WordCount];
        for (int row = 0; row < 12; row++)
        {
            for (int i = 0; i < 32; i++) packed[((row % 2) * 32) + i] |= Expected(row, i, 3) << (27 - (3 * (row / 2)));
        }

        Assert.Equal(64, HqqCheckpoint.PackedLength(layout));
        HqqCheckpoint.Convert(layout, packed, new float[12], new float[12], codes, new float[12], new float[12]);
        CheckHqq(layout, codes);
        Assert.Throws<ArgumentException>(() => HqqCheckpoint.Convert(layout, new byte[64], new float[12], new float[12], codes, new float[12], new float[12]));
    }

    [Fact]
    public void Layouts_are_checked()
    {
        Assert.Throws<ArgumentException>(() => new GroupedAffineLayout(5, 1, 32, 32));
        Assert.Throws<ArgumentException>(() => new GroupedAffineLayout(4, -1, 32, 32));
        Assert.Throws<ArgumentException>(() => new GroupedAffineLayout(4, 1, 33, 32));
        Assert.Throws<ArgumentException>(() => new GroupedAffineLayout(4, 1, 32, 12));
        Assert.Throws<ArgumentException>(() => new GroupedAffineLayout(4, 1, 32, 0));
        var layout = new GroupedAffineLayout(3, 5, 96, 64);
        Assert.Equal((9, 2, 45, 10), (layout.WordsPerRow, layout.GroupsPerRow, layout.WordCount, layout.GroupCount));
        Assert.Equal(4.333, layout.BitsPerWeight, 0.001);
    }

    private static void CheckHqq(GroupedAffineLayout layout, int[] codes)
    {
        for (int row = 0; row < layout.GroupCount; row++)
        {
            for (int i = 0; i < 32; i++) Assert.Equal(Expected(row, i, layout.Bits), Code(layout, codes, row / 2, (row % 2 * 32) + i));
        }
    }

    private static int Expected(int row, int i, int bits) => ((7 * row) + (3 * i) + 1) & ((1 << bits) - 1);

    private static int Code(GroupedAffineLayout layout, int[] codes, int output, int column) =>
        GroupedAffineLayout.ReadCode(codes.AsSpan(output * layout.WordsPerRow, layout.WordsPerRow), layout.Bits, column);
}
