using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Pruning;

namespace FastLayers.Gpu.Tests;

/// <summary>Wrong operands of every operation: the same exception on every device, naming the operation and what was wanted.</summary>
public sealed class OperandTests
{
    public static IEnumerable<TheoryDataRow<string, string>> Cases =>
        from device in TestDevices.All from operation in s_operations.Keys select new TheoryDataRow<string, string>(device.Data, operation);

    private static readonly Dictionary<string, Action<Device, Tensor>> s_operations = new()
    {
        ["Clear"] = (device, bad) => device.Clear(bad, 2, 8),
        ["MatMul"] = (device, bad) => device.MatMul(Fine(device), null, bad, Fine(device), 2, ActivationPrecision.Float32),
        ["RmsNorm"] = (device, bad) => device.RmsNorm(bad, null, 1e-5f, Fine(device), 2, 8),
        ["LayerNorm"] = (device, bad) => device.LayerNorm(Fine(device), null, null, 1e-5f, bad, 2, 8),
        ["L2Normalize"] = (device, bad) => device.L2Normalize(bad, bad, 2, 8),
        ["Pool"] = (device, bad) => device.Pool(PoolingKind.Mean, bad, Fine(device), 2, 8),
        ["Rotate"] = (device, bad) => device.Rotate(bad, [0, 1], 2, 4, new RotaryTable(device.Allocate(Format.F32, 2, 2), device.Allocate(Format.F32, 2, 2), true)),
        ["Activate"] = (device, bad) => device.Activate(ActivationKind.Silu, bad, Fine(device), Fine(device), 2, 8),
        ["Add"] = (device, bad) => device.Add(Fine(device), bad, 1, 2, 8),
        ["SoftCap"] = (device, bad) => device.SoftCap(bad, 5, 2, 8),
        ["GatherRows"] = (device, bad) => device.GatherRows(Fine(device), [0, 1], bad, 8),
        ["ScatterAddRows"] = (device, bad) => device.ScatterAddRows(bad, [0, 1], [1, 1], Fine(device), 8),
        ["AppendKv"] = (device, bad) => device.AppendKv(Cache(device), Rows(), bad, Fine(device)),
        ["Attend"] = (device, bad) => device.Attend(Cache(device), Rows(), new AttentionOptions(2, 1, 0, false), bad, Fine(device)),
        ["Pool "] = (device, bad) => device.Pool(PoolingKind.Max, bad, [1, 1], 1, Fine(device), 8),
        ["PoolStatistics"] = (device, bad) => device.PoolStatistics(bad, null, [1, 1], 1, 1e-4f, device.Allocate(Format.F32, 2, 16), 8),
        ["PoolStatistics scores"] = (device, bad) => device.PoolStatistics(Fine(device), bad ?? throw new ArgumentNullException(nameof(bad)), [1, 1], 1, 1e-4f, device.Allocate(Format.F32, 2, 16), 8),
        ["PoolStatistics output"] = (device, bad) => device.PoolStatistics(Fine(device), null, [1, 1], 1, 1e-4f, bad, 4),
        ["AttentionColumnSums"] = (device, bad) => device.AttentionColumnSums(Cache(device), Rows(), new AttentionOptions(2, 1, 0, false), bad, Fine(device), 2),
        ["AttentionColumnSums scores"] = (device, bad) => device.AttentionColumnSums(Cache(device), Rows(), new AttentionOptions(2, 1, 0, false), Fine(device), bad, 9),
        ["KeepTopK"] = (device, bad) => device.KeepTopK(bad, 2, 8, 3, new int[6]),
        ["AssignToAnchors"] = (device, bad) => device.AssignToAnchors(bad, 2, Fine(device), 1, 8, new int[2], new float[2]),
        ["AssignToAnchors anchors"] = (device, bad) => device.AssignToAnchors(Fine(device), 1, bad, 2, 8, new int[1], new float[1]),
        ["SegmentMean"] = (device, bad) => device.SegmentMean(MergeMode.Mean, bad, 2, Fine(device), [0, 1], Fine(device), 8),
        ["SegmentMean members"] = (device, bad) => device.SegmentMean(MergeMode.Mean, Fine(device), 2, bad, [0, 1], Fine(device), 8),
        ["SegmentMean output"] = (device, bad) => device.SegmentMean(MergeMode.Mean, Fine(device), 2, Fine(device), [0, 1], bad, 8),
        ["RowNorms"] = (device, bad) => device.RowNorms(bad, Fine(device), 2, 8),
        ["RowNorms norms"] = (device, bad) => device.RowNorms(device.Allocate(Format.F32, 16, 1), bad, 9, 1),
        ["AddNorm"] = (device, bad) => device.AddNorm(bad, Fine(device), Fine(device), 2, 8),
        ["AddNorm source"] = (device, bad) => device.AddNorm(Fine(device), bad, Fine(device), 2, 8),
        ["RelativeChange"] = (device, bad) => device.RelativeChange(bad, Fine(device), Fine(device), 2, 8),
        ["RelativeChange after"] = (device, bad) => device.RelativeChange(Fine(device), bad, Fine(device), 2, 8),
        ["RouteExperts"] = (device, bad) => device.RouteExperts(bad, 2, 8, 1, false, new int[2], new float[2]),
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_tensor_that_does_not_fit_is_refused(string name, string operation)
    {
        using var device = TestDevices.Open(name);
        using var other = new CpuDevice(1);
        var run = s_operations[operation];

        Refused<ArgumentException>(device.Allocate(Format.F32, 1, 8), "f32 [1, 8]");
        Refused<ArgumentException>(device.Allocate(Format.F16, 2, 8), "f16 [2, 8]");
        Refused<ArgumentException>(other.Allocate(Format.F32, 2, 8), "this device is " + device.Name);
        var disposed = device.Allocate(Format.F32, 2, 8);
        disposed.Dispose();
        Refused<ObjectDisposedException>(disposed, "disposed");
        Assert.ThrowsAny<ArgumentNullException>(() => run(device, null!));

        void Refused<TException>(Tensor bad, string expected) where TException : Exception
        {
            var exception = Assert.ThrowsAny<TException>(() => run(device, bad));
            Assert.Contains(operation.Split(' ')[0] + ": ", exception.Message, StringComparison.Ordinal);
            Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Counts_and_indices_that_make_no_sense_are_refused(string name)
    {
        using var device = TestDevices.Open(name);
        var tensor = Fine(device);
        Assert.Throws<ArgumentOutOfRangeException>(() => device.RmsNorm(tensor, null, 1e-5f, tensor, -1, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Clear(tensor, 2, -8));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.MatMul(tensor, null, tensor, tensor, -2, ActivationPrecision.Float32));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Embed(tensor, [0, 2], 1, tensor));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Embed(tensor, [-1], 1, tensor));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.GatherRows(tensor, [2], tensor, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.RouteExperts(tensor, 2, 8, 9, false, new int[18], new float[18]));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Pool(PoolingKind.Mean, tensor, tensor, 0, 8));
        Assert.Throws<ArgumentException>(() => device.RmsNorm(tensor, device.Allocate(Format.F32, 1, 7), 1e-5f, tensor, 2, 8));
        Assert.Throws<ArgumentException>(() => device.Allocate(Format.Q4_0, 1, 31));
        Assert.ThrowsAny<ArgumentException>(() => device.Allocate(Format.F32, -1, 8));
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Nothing_to_do_is_done(string name)
    {
        using var device = TestDevices.Open(name);
        var tensor = Fine(device);
        device.RmsNorm(tensor, null, 1e-5f, tensor, 0, 8);
        device.MatMul(tensor, null, tensor, tensor, 0, ActivationPrecision.Int8);
        device.Embed(tensor, [], 1, tensor);
        device.GatherRows(tensor, [], tensor, 8);
        float[] values = new float[16];
        device.Read(tensor, 0, values);
        Assert.All(values, value => Assert.Equal(0, value));
    }

    [Theory]
    [MemberData(nameof(TestDevices.Gpus), MemberType = typeof(TestDevices))]
    public void Caches_in_formats_without_kernels_are_refused(string name)
    {
        using var device = TestDevices.Open(name);
        var cache = new KvLayer(device.Allocate(Format.Q8_0, 128, 32), device.Allocate(Format.F16, 128, 32), 2);
        var tensor = Fine(device);
        string message = Assert.Throws<ArgumentException>(() => device.AppendKv(cache, Rows(), tensor, tensor)).Message;
        Assert.Contains("cannot store keys as q8_0 and values as f16", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => device.Attend(cache, Rows(), new AttentionOptions(2, 1, 0, false), tensor, tensor));
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Rows_without_a_page_are_refused(string name)
    {
        using var device = TestDevices.Open(name);
        var cache = Cache(device);
        var tensor = Fine(device);
        Assert.Throws<ArgumentException>(() => device.AppendKv(cache, Rows(page: 1), tensor, tensor));
        Assert.Throws<ArgumentException>(() => device.AppendKv(cache, Rows(position: 64), tensor, tensor));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.AppendKv(cache, Rows(position: -1), tensor, tensor));
        Assert.Throws<ArgumentException>(() => device.Attend(cache, Rows(end: 65), new AttentionOptions(2, 1, 0, false), tensor, tensor));
        Assert.Throws<ArgumentException>(() => device.Attend(TwoPages(), RowsOfTwoPages(firstPage: -1), new AttentionOptions(2, 1, 0, false), tensor, tensor));
        device.Attend(TwoPages(), RowsOfTwoPages(firstPage: 0), new AttentionOptions(2, 1, 0, false), tensor, tensor);
        device.Attend(TwoPages(), RowsOfTwoPages(firstPage: -1), new AttentionOptions(2, 1, 0, true), tensor, tensor);
        Assert.Throws<ArgumentException>(() => device.Attend(cache, Rows(), new AttentionOptions(3, 1, 0, false), tensor, tensor));
        Assert.Throws<ArgumentException>(() => new KvLayer(device.Allocate(Format.F32, 128, 4), device.Allocate(Format.BF16, 128, 4), 2));
        KvLayer TwoPages() => new(device.Allocate(Format.F32, 256, 4), device.Allocate(Format.F32, 256, 4), 2);
        Assert.Throws<ArgumentException>(() => new KvLayer(device.Allocate(Format.F32, 100, 4), device.Allocate(Format.F32, 100, 4), 2));
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Views_at_odd_places_give_the_same_product(string name)
    {
        using var device = TestDevices.Open(name);
        using var values = device.Allocate(Format.F32, 9, 5);
        device.Write(values, 0, [.. Enumerable.Range(0, 45).Select(i => i % 7 - 3f)]);
        using var output = device.Allocate(Format.F32, 2, 2);
        device.MatMul(values.SliceRows(1, 8).Reshape(10, 4).SliceRows(0, 2), null, values.SliceRows(3, 2), output, 2, ActivationPrecision.Int8);
        float[] products = new float[4];
        device.Read(output, 0, products);

        float At(int place) => place % 7 - 3f;
        float[] expected = [.. from row in Enumerable.Range(0, 2) from column in Enumerable.Range(0, 2) select Enumerable.Range(0, 4).Sum(k => At(15 + (4 * row) + k) * At(5 + (4 * column) + k))];
        Assert.Equal(expected, products);
        Assert.Throws<ArgumentException>(() => new KvLayer(Odd(), Odd(), 2));

        Tensor Odd() => device.Allocate(Format.F32, 129, 5).SliceRows(1, 128);
    }

    internal static KvLayer Cache(Device device) => new(device.Allocate(Format.F32, 128, 4), device.Allocate(Format.F32, 128, 4), 2);

    /// <summary>Rows whose window starts in the second page.</summary>
    internal static BatchRows RowsOfTwoPages(int firstPage) => new()
    {
        Sequences = new[] { 0, 0 },
        Positions = new[] { 70, 71 },
        WindowStart = new[] { 64, 65 },
        End = new[] { 71, 72 },
        PageTable = new[] { firstPage, 1 },
        PagesPerSequence = 2,
    };

    internal static BatchRows Rows(int page = 0, int position = 1, int end = 2) => new()
    {
        Sequences = new[] { 0, 0 },
        Positions = new[] { 0, position },
        WindowStart = new[] { 0, 0 },
        End = new[] { 1, end },
        PageTable = new[] { page },
        PagesPerSequence = 1,
    };

    internal static Tensor Fine(Device device) => device.Allocate(Format.F32, 2, 8);
}
