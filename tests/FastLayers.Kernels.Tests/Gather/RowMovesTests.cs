using FastLayers.Kernels.Gather;

namespace FastLayers.Kernels.Tests.Gather;

public sealed class RowMovesTests
{
    [Fact]
    public void Gathered_rows_come_in_the_order_of_the_indices()
    {
        float[] output = new float[6];
        RowMoves.Gather([1, 2, 3, 4, 5, 6], [2, 0, 2], 2, output);
        Assert.Equal([5, 6, 1, 2, 5, 6], output);
    }

    [Fact]
    public void Rows_scattered_to_one_place_add_up()
    {
        float[] target = [10, 20, 30, 40];
        RowMoves.ScatterAdd([1, 2, 3, 4, 5, 6], [2, 1, 10], [1, 0, 1], 2, target);
        Assert.Equal([13, 24, 82, 104], target);
        RowMoves.ScatterAdd([1, 1], [], [0], 2, target);
        Assert.Equal([14, 25, 82, 104], target);
    }

    [Theory]
    [InlineData(new int[0], new int[0], 0)]
    [InlineData(new[] { 0, 0 }, new[] { -1, -1 }, 0)]
    [InlineData(new[] { 1, -1, 7 }, new[] { 0, 1, 2 }, 3)]
    [InlineData(new[] { 0, 1, 0, 1 }, new[] { 1, 3, -1, -1 }, 2)]
    public void Kept_rows_are_found(int[] keep, int[] expected, int count)
    {
        int[] indices = new int[keep.Length];
        Assert.Equal(count, RowMoves.FindKept(keep, indices));
        Assert.Equal(expected, indices);
    }

    [Fact]
    public void Kept_rows_move_to_the_front_and_the_others_stay()
    {
        float[] rows = [1, 2, 3, 4, 5, 6, 7, 8];
        RowMoves.Compact(rows, [1, 2], 2);
        Assert.Equal([3, 4, 5, 6, 5, 6, 7, 8], rows);
        RowMoves.Compact(rows, [], 2);
        Assert.Equal([3, 4, 5, 6, 5, 6, 7, 8], rows);
    }

    [Fact]
    public void Wrong_arguments_are_refused_and_nothing_is_written()
    {
        float[] input = [1, 2, 3, 4], output = new float[4];
        Assert.Throws<ArgumentOutOfRangeException>(() => RowMoves.Gather(input, [0, 2], 2, output));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowMoves.Gather(input, [0, -1], 2, output));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowMoves.Gather(input, [0], 0, output));
        Assert.Throws<ArgumentException>(() => RowMoves.Gather(input, [0], 3, output));
        Assert.Throws<ArgumentException>(() => RowMoves.Gather(input, [0], 2, output));
        Assert.Throws<ArgumentException>(() => RowMoves.Gather(input, [1, 1], 2, input));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowMoves.ScatterAdd(input, [], [0, 2], 2, output));
        Assert.Throws<ArgumentException>(() => RowMoves.ScatterAdd(input, [1], [0, 1], 2, output));
        Assert.Throws<ArgumentException>(() => RowMoves.ScatterAdd(input, [], [0], 2, output));
        Assert.Throws<ArgumentException>(() => RowMoves.ScatterAdd(input, [], [0, 1], 2, input));
        Assert.Equal([0, 0, 0, 0], output);

        Assert.Throws<ArgumentException>(() => RowMoves.FindKept([1, 2], new int[1]));
        int[] flags = [1, 1];
        Assert.Throws<ArgumentException>(() => RowMoves.FindKept(flags, flags));
        Assert.Throws<ArgumentException>(() => RowMoves.Compact(input, [1, 1], 2));
        Assert.Throws<ArgumentException>(() => RowMoves.Compact(input, [1, 0], 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowMoves.Compact(input, [0, 2], 2));
        Assert.Equal([1, 2, 3, 4], input);
    }
}
