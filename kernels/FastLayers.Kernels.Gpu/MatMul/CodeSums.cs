using ILGPU.Runtime.Cuda;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>Four sums of <c>scale · Σ code · code</c> over sixteen codes at a time, the integers exact.</summary>
internal interface ICodeSums
{
    /// <summary>Clears the sums; once a kernel, before any loop.</summary>
    void Begin();

    /// <summary>Adds sixteen products to the first sum.</summary>
    float AddFirst(float sum, Int4 a, Int4 b, float scale);

    /// <summary>Adds sixteen products to the second sum.</summary>
    float AddSecond(float sum, Int4 a, Int4 b, float scale);

    /// <summary>Adds sixteen products to the third sum.</summary>
    float AddThird(float sum, Int4 a, Int4 b, float scale);

    /// <summary>Adds sixteen products to the fourth sum.</summary>
    float AddFourth(float sum, Int4 a, Int4 b, float scale);

    /// <summary>The sums; once a kernel, after all loops.</summary>
    Float4 End(Float4 sums);
}

/// <summary>Sums in the variables that go in and come out, for every device.</summary>
internal readonly struct PortableCodeSums : ICodeSums
{
    public void Begin()
    {
    }

    public float AddFirst(float sum, Int4 a, Int4 b, float scale) => (scale * Int4.Dot(a, b)) + sum;

    public float AddSecond(float sum, Int4 a, Int4 b, float scale) => (scale * Int4.Dot(a, b)) + sum;

    public float AddThird(float sum, Int4 a, Int4 b, float scale) => (scale * Int4.Dot(a, b)) + sum;

    public float AddFourth(float sum, Int4 a, Int4 b, float scale) => (scale * Int4.Dot(a, b)) + sum;

    public Float4 End(Float4 sums) => sums;
}

/// <summary>
/// Sums with dp4a, the product of four codes with four others in one instruction, on CUDA devices. Inline assembly hands results over through
/// local memory, so the sums stay in registers that the assembly declares and are read once, at the end; what comes in is passed on. The
/// declaration must stand before all uses in the text, so <see cref="Begin"/> must not be in a branch that the uses are not in.
/// </summary>
internal readonly struct CudaCodeSums : ICodeSums
{
    public void Begin()
    {
        CudaAsm.Emit(".reg .s32 codeDot; .reg .f32 codeValue; .reg .f32 codeSum<4>;");
        CudaAsm.Emit("mov.f32 codeSum0, 0f00000000; mov.f32 codeSum1, 0f00000000; mov.f32 codeSum2, 0f00000000; mov.f32 codeSum3, 0f00000000;");
    }

    public float AddFirst(float sum, Int4 a, Int4 b, float scale)
    {
        CudaAsm.Emit(
            "dp4a.s32.s32 codeDot, %0, %4, 0; dp4a.s32.s32 codeDot, %1, %5, codeDot; "
            + "dp4a.s32.s32 codeDot, %2, %6, codeDot; dp4a.s32.s32 codeDot, %3, %7, codeDot; "
            + "cvt.rn.f32.s32 codeValue, codeDot; fma.rn.f32 codeSum0, codeValue, %8, codeSum0;",
            a.X, a.Y, a.Z, a.W, b.X, b.Y, b.Z, b.W, scale);
        return sum;
    }

    public float AddSecond(float sum, Int4 a, Int4 b, float scale)
    {
        CudaAsm.Emit(
            "dp4a.s32.s32 codeDot, %0, %4, 0; dp4a.s32.s32 codeDot, %1, %5, codeDot; "
            + "dp4a.s32.s32 codeDot, %2, %6, codeDot; dp4a.s32.s32 codeDot, %3, %7, codeDot; "
            + "cvt.rn.f32.s32 codeValue, codeDot; fma.rn.f32 codeSum1, codeValue, %8, codeSum1;",
            a.X, a.Y, a.Z, a.W, b.X, b.Y, b.Z, b.W, scale);
        return sum;
    }

    public float AddThird(float sum, Int4 a, Int4 b, float scale)
    {
        CudaAsm.Emit(
            "dp4a.s32.s32 codeDot, %0, %4, 0; dp4a.s32.s32 codeDot, %1, %5, codeDot; "
            + "dp4a.s32.s32 codeDot, %2, %6, codeDot; dp4a.s32.s32 codeDot, %3, %7, codeDot; "
            + "cvt.rn.f32.s32 codeValue, codeDot; fma.rn.f32 codeSum2, codeValue, %8, codeSum2;",
            a.X, a.Y, a.Z, a.W, b.X, b.Y, b.Z, b.W, scale);
        return sum;
    }

    public float AddFourth(float sum, Int4 a, Int4 b, float scale)
    {
        CudaAsm.Emit(
            "dp4a.s32.s32 codeDot, %0, %4, 0; dp4a.s32.s32 codeDot, %1, %5, codeDot; "
            + "dp4a.s32.s32 codeDot, %2, %6, codeDot; dp4a.s32.s32 codeDot, %3, %7, codeDot; "
            + "cvt.rn.f32.s32 codeValue, codeDot; fma.rn.f32 codeSum3, codeValue, %8, codeSum3;",
            a.X, a.Y, a.Z, a.W, b.X, b.Y, b.Z, b.W, scale);
        return sum;
    }

    public Float4 End(Float4 sums)
    {
        CudaAsm.Emit("mov.f32 %0, codeSum0;", out float first);
        CudaAsm.Emit("mov.f32 %0, codeSum1;", out float second);
        CudaAsm.Emit("mov.f32 %0, codeSum2;", out float third);
        CudaAsm.Emit("mov.f32 %0, codeSum3;", out float fourth);
        return Quads.Add(sums, Quads.Of(first, second, third, fourth));
    }
}
