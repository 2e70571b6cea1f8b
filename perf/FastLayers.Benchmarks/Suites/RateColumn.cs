using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace FastLayers.Benchmarks.Suites;

/// <summary>A column made from the median time and what an invocation does.</summary>
internal sealed class RateColumn(string name, string legend, Func<IMeasuredWork, double, double?> value) : IColumn
{
    public static IColumn[] All { get; } =
    [
        new RateColumn("GB/s", "Bytes that must be read and written, in 1e9 a second", (work, seconds) => work.Bytes > 0 ? work.Bytes / seconds / 1e9 : null),
        new RateColumn("Gop/s", "Multiplications plus additions, in 1e9 a second", (work, seconds) => work.Operations > 0 ? work.Operations / seconds / 1e9 : null),
        new RateColumn("% of limit", "Time that the limits measured in this process allow, of the time taken; - where the data stays in caches, whose rate is not measured", (work, seconds) => 100 * work.LeastSeconds / seconds),
    ];

    public string Id => ColumnName;

    public string ColumnName => name;

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend => legend;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, SummaryStyle.Default);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style)
    {
        double? nanoseconds = summary[benchmarkCase]?.ResultStatistics?.Median;
        var work = benchmarkCase.Parameters.Items.Select(item => item.Value).OfType<IMeasuredWork>().FirstOrDefault();
        return nanoseconds is null || work is null ? "-" : value(work, nanoseconds.Value * 1e-9)?.ToString("f1", CultureInfo.InvariantCulture) ?? "-";
    }

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public bool IsAvailable(Summary summary) => true;
}
