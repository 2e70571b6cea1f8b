using System.Runtime.InteropServices;

namespace FastLayers;

/// <summary>Hints to the system about pages of memory; one that it does not know or follow changes nothing.</summary>
internal static unsafe partial class PageAdvice
{
    /// <summary>MADV_DONTNEED, the same on Linux, macOS and FreeBSD.</summary>
    private const int NotNeeded = 4;

    /// <summary>MADV_HUGEPAGE of Linux.</summary>
    private const int Large = 14;

    /// <summary>Bytes of a large page on x64, and on ARM with small ones of 4 KiB.</summary>
    public const int LargePage = 2 << 20;

    /// <summary>Takes pages of a mapped file out of the process; the file's content is not touched.</summary>
    /// <param name="start">Where a page starts.</param>
    /// <param name="bytes">Length.</param>
    public static void Forget(byte* start, long bytes)
    {
        if (!OperatingSystem.IsWindows()) _ = Advise(start, (nuint)bytes, NotNeeded);
    }

    /// <summary>Asks for large pages where memory is read from end to end: several streams through small ones wait for the page tables.</summary>
    /// <param name="start">A multiple of <see cref="LargePage"/>.</param>
    /// <param name="bytes">Length.</param>
    public static void UseLargePages(byte* start, long bytes)
    {
        if (OperatingSystem.IsLinux()) _ = Advise(start, (nuint)bytes, Large);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(byte* start, nuint length, int advice);
}
