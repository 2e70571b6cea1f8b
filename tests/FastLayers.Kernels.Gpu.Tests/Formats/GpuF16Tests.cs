using System.Runtime.InteropServices;
using FastLayers.Kernels.Gpu.Formats;

namespace FastLayers.Kernels.Gpu.Tests.Formats;

/// <summary>Halves to floats and back by bit operations, all of them against the processor's own conversion.</summary>
public sealed class GpuF16Tests
{
    [Fact]
    public void Every_half_is_read_exactly() => Assert.Equal([], WronglyRead());

    [Fact]
    public void Every_half_is_written_as_it_was_read()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            if ((bits & 0x7FFF) <= 0x7C00) Assert.Equal(bits, GpuF16.FromFloat(GpuF16.ToFloat(bits)));
        }
    }

    [Fact]
    public void Every_half_is_read_exactly_without_subnormal_floats()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "subnormal floats are switched off by the C library of Linux on x64");
        int[] wrong = [];
        float flushed = 1;

        // In a thread of its own: the mode belongs to the thread.
        var thread = new Thread(() =>
        {
            FlushSubnormals();
            flushed = BitConverter.Int32BitsToSingle(0x007FFFFF) * Two();
            wrong = WronglyRead();
        });
        thread.Start();
        thread.Join();
        Assert.Equal(0, flushed);
        Assert.Equal([], wrong);
    }

    /// <summary>Halves whose floats have other bits than the processor gives them.</summary>
    private static int[] WronglyRead()
    {
        var wrong = new List<int>();
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            // The processor makes every NaN a quiet one.
            int expected = BitConverter.SingleToInt32Bits((float)BitConverter.UInt16BitsToHalf((ushort)bits));
            int quiet = (bits & 0x7FFF) > 0x7C00 ? 0x00400000 : 0;
            if ((BitConverter.SingleToInt32Bits(GpuF16.ToFloat(bits)) | quiet) != (expected | quiet)) wrong.Add(bits);
        }

        return [.. wrong];
    }

    /// <summary>A factor that the compiler does not know.</summary>
    private static float Two() => Environment.CurrentManagedThreadId >= 0 ? 2 : 1;

    /// <summary>Sets the bits of MXCSR that make subnormal operands and results zero.</summary>
    private static void FlushSubnormals()
    {
        const int ControlAndStatus = 28;
        byte[] environment = new byte[64];
        Assert.Equal(0, GetEnvironment(environment));
        int control = BitConverter.ToInt32(environment, ControlAndStatus) | 0x8040;
        BitConverter.TryWriteBytes(environment.AsSpan(ControlAndStatus), control);
        Assert.Equal(0, SetEnvironment(environment));
    }

    [DllImport("libm.so.6", EntryPoint = "fegetenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetEnvironment(byte[] environment);

    [DllImport("libm.so.6", EntryPoint = "fesetenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetEnvironment(byte[] environment);
}
