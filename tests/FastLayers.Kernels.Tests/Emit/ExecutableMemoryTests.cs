using System.Globalization;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Emit;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Tests.Emit;

public sealed unsafe class ExecutableMemoryTests
{
    /// <summary><c>mov eax, 42; ret</c>.</summary>
    private static readonly byte[] s_answer = [0xB8, 42, 0, 0, 0, 0xC3];

    [Fact]
    public void Code_runs_and_its_pages_cannot_be_written()
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "Code is emitted for x64 only.");
        nint address = ExecutableMemory.Place(s_answer);
        Assert.NotEqual(0, address);
        Assert.Equal(0, address % 4096);
        Assert.Equal(42, ((delegate* unmanaged<int>)address)());
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells the rights of pages.");
        Assert.Equal("r-xp", RightsOf(address));
    }

    [Fact]
    public void No_page_of_an_emitted_kernel_can_be_written()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells the rights of pages.");
        var kernel = EmittedKernels.For(Format.Q4_0, KernelCode.Emitted);
        Assert.SkipWhen(kernel is null, EmittedKernels.ReasonAgainst(EmittedIsa.Avx2) ?? "");
        Assert.Equal("r-xp", RightsOf(kernel!.Address));
    }

    [Fact]
    public void A_system_that_refuses_gives_no_code_and_gets_its_pages_back()
    {
        var pages = new Refusing { IsMapRefused = true };
        Assert.Equal(0, ExecutableMemory.Place(s_answer, pages));
        Assert.Equal(0, pages.Unmapped);
        pages.IsMapRefused = false;
        Assert.Equal(0, ExecutableMemory.Place(s_answer, pages));
        Assert.Equal(1, pages.Unmapped);
    }

    [Fact]
    public void Switches_are_read()
    {
        Assert.Equal(KernelCode.Automatic, EmittedKernels.Choose(null));
        Assert.Equal(KernelCode.Automatic, EmittedKernels.Choose(""));
        Assert.Equal(KernelCode.Compiled, EmittedKernels.Choose("0"));
        Assert.Equal(KernelCode.Emitted, EmittedKernels.Choose("1"));
        Assert.Contains("'yes'", Assert.Throws<InvalidOperationException>(() => EmittedKernels.Choose("yes")).Message, StringComparison.Ordinal);
        Assert.Null(EmittedKernels.For(Format.Q4_0, KernelCode.Compiled));
        Assert.Null(EmittedKernels.For(Format.Q8_K, KernelCode.Emitted));
    }

    /// <summary>Nothing is emitted unasked that is not known to be faster.</summary>
    [Fact]
    public void Only_wide_kernels_are_emitted_unasked()
    {
        Assert.SkipUnless(string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EmittedKernels.Variable)), $"{EmittedKernels.Variable} is set.");
        var kernel = EmittedKernels.For(Format.Q4_0, KernelCode.Automatic);
        Assert.Equal(EmittedKernels.ReasonForNone is null, kernel is not null);
        if (kernel is not null) Assert.Equal(EmittedIsa.Avx512Vnni, kernel.Isa);
    }

    private static string RightsOf(nint address)
    {
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            string[] ends = line[..line.IndexOf(' ', StringComparison.Ordinal)].Split('-');
            if (address >= long.Parse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture) && address < long.Parse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture))
                return line.Split(' ')[1];
        }

        return "";
    }

    private sealed class Refusing : ExecutableMemory.IPages
    {
        public bool IsMapRefused { get; set; }

        public int Unmapped { get; private set; }

        public byte* Map(nuint length) => IsMapRefused ? null : (byte*)NativeMemory.Alloc(length);

        public bool MakeExecutable(byte* memory, nuint length) => false;

        public void Unmap(byte* memory, nuint length)
        {
            NativeMemory.Free(memory);
            Unmapped++;
        }
    }
}
