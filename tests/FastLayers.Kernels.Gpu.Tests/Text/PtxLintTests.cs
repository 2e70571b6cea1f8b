namespace FastLayers.Kernels.Gpu.Tests.Text;

/// <summary>The checks of PTX text themselves, on text that is wrong on purpose.</summary>
public sealed class PtxLintTests
{
    [Fact]
    public void Local_memory_in_a_loop_is_found_wherever_its_blocks_lie_in_the_text()
    {
        const string loop = """
                bra.uni	L_2;
            L_1:
                st.local.b32	[%rd1], %r1;
                @%p1 bra	L_2;
                ret;
            L_2:
                mov.b32	%r1, 0;
                bra.uni	L_1;
            """;
        Assert.Contains(Findings(loop), finding => finding.Contains("local memory", StringComparison.Ordinal));
    }

    [Fact]
    public void Local_memory_that_is_passed_once_is_not()
    {
        const string once = """
                bra.uni	L_2;
            L_1:
                ret;
            L_2:
                st.local.b32	[%rd1], %r1;
                bra.uni	L_1;
            """;
        Assert.DoesNotContain(Findings(once), finding => finding.Contains("local memory", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(".reg .f32 sum<4>;\n\tmov.f32 sum3, 0f00000000;", false)]
    [InlineData("mov.f32 sum3, 0f00000000;\n\t.reg .f32 sum<4>;", true)]
    [InlineData("mov.s32 dot, 0;\n\t.reg .s32 dot;", true)]
    [InlineData(".reg .s32 dot;\n\tmov.s32 dot, 0;", false)]
    public void Register_of_inline_assembly_must_be_declared_before_its_use(string text, bool found) =>
        Assert.Equal(found, Findings(text).Any(finding => finding.Contains("before it is declared", StringComparison.Ordinal)));

    private static IEnumerable<string> Findings(string text) => PtxLint.Findings(".reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .pred %p<9>;\n" + text, []);
}
