using ILGPU.Runtime.Cuda;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Products of 8-bit tiles by the tensor cores of CUDA devices of compute capability 8.0 and later, <c>mma.sync</c>: a warp multiplies 16 rows of
/// activations with 8 outputs, and each lane holds 4 of the results. They are scaled and added to sums that stay in registers of the assembly;
/// see <see cref="CudaCodeSums"/>. Sum 4j + i is result i of the j-th 8 outputs.
/// </summary>
/// <remarks>
/// Fragments (PTX ISA, "Matrix Fragments for mma.m16n8k16 with integer type" and "for mma.m16n8k32"), with g = lane / 4 and t = lane % 4: words
/// of four codes x0 and x1 are columns 4t to 4t+3 of rows g and g+8, x2 and x3 the columns 16 further; w0 and w1 are the same columns of output g;
/// the results are rows g, g, g+8, g+8 of outputs 2t, 2t+1, 2t, 2t+1.
/// </remarks>
internal static class TensorTile
{
    /// <summary>Declares and clears the sums; once a kernel, before any loop, and in no branch that the uses are not in.</summary>
    public static void Begin()
    {
        CudaAsm.Emit(".reg .s32 tensorDot<4>; .reg .s32 tensorZero; .reg .f32 tensorScale; .reg .f32 tensorValue; .reg .f32 tensorSum<16>;");
        CudaAsm.Emit(
            "mov.s32 tensorZero, 0; mov.f32 tensorSum0, 0f00000000; mov.f32 tensorSum1, 0f00000000; mov.f32 tensorSum2, 0f00000000; "
            + "mov.f32 tensorSum3, 0f00000000; mov.f32 tensorSum4, 0f00000000; mov.f32 tensorSum5, 0f00000000; mov.f32 tensorSum6, 0f00000000; "
            + "mov.f32 tensorSum7, 0f00000000; mov.f32 tensorSum8, 0f00000000; mov.f32 tensorSum9, 0f00000000; mov.f32 tensorSum10, 0f00000000; "
            + "mov.f32 tensorSum11, 0f00000000; mov.f32 tensorSum12, 0f00000000; mov.f32 tensorSum13, 0f00000000; mov.f32 tensorSum14, 0f00000000; "
            + "mov.f32 tensorSum15, 0f00000000;");
    }

    /// <summary>Adds 32 columns with one scale to the first 8 outputs.</summary>
    public static void AddFirst(int x0, int x1, int x2, int x3, int w0, int w1, float rowScale, float lowerRowScale, float scale, float nextScale) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {tensorDot0, tensorDot1, tensorDot2, tensorDot3}, "
            + "{%0, %1, %2, %3}, {%4, %5}, {tensorZero, tensorZero, tensorZero, tensorZero}; "
            + "mul.f32 tensorScale, %6, %8; cvt.rn.f32.s32 tensorValue, tensorDot0; fma.rn.f32 tensorSum0, tensorValue, tensorScale, tensorSum0; "
            + "mul.f32 tensorScale, %6, %9; cvt.rn.f32.s32 tensorValue, tensorDot1; fma.rn.f32 tensorSum1, tensorValue, tensorScale, tensorSum1; "
            + "mul.f32 tensorScale, %7, %8; cvt.rn.f32.s32 tensorValue, tensorDot2; fma.rn.f32 tensorSum2, tensorValue, tensorScale, tensorSum2; "
            + "mul.f32 tensorScale, %7, %9; cvt.rn.f32.s32 tensorValue, tensorDot3; fma.rn.f32 tensorSum3, tensorValue, tensorScale, tensorSum3;",
            x0, x1, x2, x3, w0, w1, rowScale, lowerRowScale, scale, nextScale);

    /// <summary>Adds 32 columns with one scale to the second 8 outputs.</summary>
    public static void AddSecond(int x0, int x1, int x2, int x3, int w0, int w1, float rowScale, float lowerRowScale, float scale, float nextScale) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {tensorDot0, tensorDot1, tensorDot2, tensorDot3}, "
            + "{%0, %1, %2, %3}, {%4, %5}, {tensorZero, tensorZero, tensorZero, tensorZero}; "
            + "mul.f32 tensorScale, %6, %8; cvt.rn.f32.s32 tensorValue, tensorDot0; fma.rn.f32 tensorSum4, tensorValue, tensorScale, tensorSum4; "
            + "mul.f32 tensorScale, %6, %9; cvt.rn.f32.s32 tensorValue, tensorDot1; fma.rn.f32 tensorSum5, tensorValue, tensorScale, tensorSum5; "
            + "mul.f32 tensorScale, %7, %8; cvt.rn.f32.s32 tensorValue, tensorDot2; fma.rn.f32 tensorSum6, tensorValue, tensorScale, tensorSum6; "
            + "mul.f32 tensorScale, %7, %9; cvt.rn.f32.s32 tensorValue, tensorDot3; fma.rn.f32 tensorSum7, tensorValue, tensorScale, tensorSum7;",
            x0, x1, x2, x3, w0, w1, rowScale, lowerRowScale, scale, nextScale);

    /// <summary>Adds 32 columns with one scale to the third 8 outputs.</summary>
    public static void AddThird(int x0, int x1, int x2, int x3, int w0, int w1, float rowScale, float lowerRowScale, float scale, float nextScale) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {tensorDot0, tensorDot1, tensorDot2, tensorDot3}, "
            + "{%0, %1, %2, %3}, {%4, %5}, {tensorZero, tensorZero, tensorZero, tensorZero}; "
            + "mul.f32 tensorScale, %6, %8; cvt.rn.f32.s32 tensorValue, tensorDot0; fma.rn.f32 tensorSum8, tensorValue, tensorScale, tensorSum8; "
            + "mul.f32 tensorScale, %6, %9; cvt.rn.f32.s32 tensorValue, tensorDot1; fma.rn.f32 tensorSum9, tensorValue, tensorScale, tensorSum9; "
            + "mul.f32 tensorScale, %7, %8; cvt.rn.f32.s32 tensorValue, tensorDot2; fma.rn.f32 tensorSum10, tensorValue, tensorScale, tensorSum10; "
            + "mul.f32 tensorScale, %7, %9; cvt.rn.f32.s32 tensorValue, tensorDot3; fma.rn.f32 tensorSum11, tensorValue, tensorScale, tensorSum11;",
            x0, x1, x2, x3, w0, w1, rowScale, lowerRowScale, scale, nextScale);

    /// <summary>Adds 32 columns with one scale to the fourth 8 outputs.</summary>
    public static void AddFourth(int x0, int x1, int x2, int x3, int w0, int w1, float rowScale, float lowerRowScale, float scale, float nextScale) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {tensorDot0, tensorDot1, tensorDot2, tensorDot3}, "
            + "{%0, %1, %2, %3}, {%4, %5}, {tensorZero, tensorZero, tensorZero, tensorZero}; "
            + "mul.f32 tensorScale, %6, %8; cvt.rn.f32.s32 tensorValue, tensorDot0; fma.rn.f32 tensorSum12, tensorValue, tensorScale, tensorSum12; "
            + "mul.f32 tensorScale, %6, %9; cvt.rn.f32.s32 tensorValue, tensorDot1; fma.rn.f32 tensorSum13, tensorValue, tensorScale, tensorSum13; "
            + "mul.f32 tensorScale, %7, %8; cvt.rn.f32.s32 tensorValue, tensorDot2; fma.rn.f32 tensorSum14, tensorValue, tensorScale, tensorSum14; "
            + "mul.f32 tensorScale, %7, %9; cvt.rn.f32.s32 tensorValue, tensorDot3; fma.rn.f32 tensorSum15, tensorValue, tensorScale, tensorSum15;",
            x0, x1, x2, x3, w0, w1, rowScale, lowerRowScale, scale, nextScale);

    /// <summary>Adds 16 columns to the first 8 outputs.</summary>
    public static void AddHalfFirst(int x0, int x1, int w0, float rowScale, float lowerRowScale, float scale, float nextScale) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {tensorDot0, tensorDot1, tensorDot2, tensorDot3}, "
            + "{%0, %1}, {%2}, {tensorZero, tensorZero, tensorZero, tensorZero}; "
            + "mul.f32 tensorScale, %3, %5; cvt.rn.f32.s32 tensorValue, tensorDot0; fma.rn.f32 tensorSum0, tensorValue, tensorScale, tensorSum0; "
            + "mul.f32 tensorScale, %3, %6; cvt.rn.f32.s32 tensorValue, tensorDot1; fma.rn.f32 tensorSum1, tensorValue, tensorScale, tensorSum1; "
            + "mul.f32 tensorScale, %4, %5; cvt.rn.f32.s32 tensorValue, tensorDot2; fma.rn.f32 tensorSum2, tensorValue, tensorScale, tensorSum2; "
            + "mul.f32 tensorScale, %4, %6; cvt.rn.f32.s32 tensorValue, tensorDot3; fma.rn.f32 tensorSum3, tensorValue, tensorScale, tensorSum3;",
            x0, x1, w0, rowScale, lowerRowScale, scale, nextScale);

    /// <summary>Adds 16 columns to the second 8 outputs.</summary>
    public static void AddHalfSecond(int x0, int x1, int w0, float rowScale, float lowerRowScale, float scale, float nextScale) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {tensorDot0, tensorDot1, tensorDot2, tensorDot3}, "
            + "{%0, %1}, {%2}, {tensorZero, tensorZero, tensorZero, tensorZero}; "
            + "mul.f32 tensorScale, %3, %5; cvt.rn.f32.s32 tensorValue, tensorDot0; fma.rn.f32 tensorSum4, tensorValue, tensorScale, tensorSum4; "
            + "mul.f32 tensorScale, %3, %6; cvt.rn.f32.s32 tensorValue, tensorDot1; fma.rn.f32 tensorSum5, tensorValue, tensorScale, tensorSum5; "
            + "mul.f32 tensorScale, %4, %5; cvt.rn.f32.s32 tensorValue, tensorDot2; fma.rn.f32 tensorSum6, tensorValue, tensorScale, tensorSum6; "
            + "mul.f32 tensorScale, %4, %6; cvt.rn.f32.s32 tensorValue, tensorDot3; fma.rn.f32 tensorSum7, tensorValue, tensorScale, tensorSum7;",
            x0, x1, w0, rowScale, lowerRowScale, scale, nextScale);

    /// <summary>Adds 16 columns to the third 8 outputs.</summary>
    public static void AddHalfThird(int x0, int x1, int w0, float rowScale, float lowerRowScale, float scale, float nextScale) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {tensorDot0, tensorDot1, tensorDot2, tensorDot3}, "
            + "{%0, %1}, {%2}, {tensorZero, tensorZero, tensorZero, tensorZero}; "
            + "mul.f32 tensorScale, %3, %5; cvt.rn.f32.s32 tensorValue, tensorDot0; fma.rn.f32 tensorSum8, tensorValue, tensorScale, tensorSum8; "
            + "mul.f32 tensorScale, %3, %6; cvt.rn.f32.s32 tensorValue, tensorDot1; fma.rn.f32 tensorSum9, tensorValue, tensorScale, tensorSum9; "
            + "mul.f32 tensorScale, %4, %5; cvt.rn.f32.s32 tensorValue, tensorDot2; fma.rn.f32 tensorSum10, tensorValue, tensorScale, tensorSum10; "
            + "mul.f32 tensorScale, %4, %6; cvt.rn.f32.s32 tensorValue, tensorDot3; fma.rn.f32 tensorSum11, tensorValue, tensorScale, tensorSum11;",
            x0, x1, w0, rowScale, lowerRowScale, scale, nextScale);

    /// <summary>Adds 16 columns to the fourth 8 outputs.</summary>
    public static void AddHalfFourth(int x0, int x1, int w0, float rowScale, float lowerRowScale, float scale, float nextScale) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {tensorDot0, tensorDot1, tensorDot2, tensorDot3}, "
            + "{%0, %1}, {%2}, {tensorZero, tensorZero, tensorZero, tensorZero}; "
            + "mul.f32 tensorScale, %3, %5; cvt.rn.f32.s32 tensorValue, tensorDot0; fma.rn.f32 tensorSum12, tensorValue, tensorScale, tensorSum12; "
            + "mul.f32 tensorScale, %3, %6; cvt.rn.f32.s32 tensorValue, tensorDot1; fma.rn.f32 tensorSum13, tensorValue, tensorScale, tensorSum13; "
            + "mul.f32 tensorScale, %4, %5; cvt.rn.f32.s32 tensorValue, tensorDot2; fma.rn.f32 tensorSum14, tensorValue, tensorScale, tensorSum14; "
            + "mul.f32 tensorScale, %4, %6; cvt.rn.f32.s32 tensorValue, tensorDot3; fma.rn.f32 tensorSum15, tensorValue, tensorScale, tensorSum15;",
            x0, x1, w0, rowScale, lowerRowScale, scale, nextScale);

    /// <summary>The sums, those of 8 outputs a row.</summary>
    public static Float4x4 End()
    {
        CudaAsm.Emit("mov.f32 %0, tensorSum0;", out float sum0);
        CudaAsm.Emit("mov.f32 %0, tensorSum1;", out float sum1);
        CudaAsm.Emit("mov.f32 %0, tensorSum2;", out float sum2);
        CudaAsm.Emit("mov.f32 %0, tensorSum3;", out float sum3);
        CudaAsm.Emit("mov.f32 %0, tensorSum4;", out float sum4);
        CudaAsm.Emit("mov.f32 %0, tensorSum5;", out float sum5);
        CudaAsm.Emit("mov.f32 %0, tensorSum6;", out float sum6);
        CudaAsm.Emit("mov.f32 %0, tensorSum7;", out float sum7);
        CudaAsm.Emit("mov.f32 %0, tensorSum8;", out float sum8);
        CudaAsm.Emit("mov.f32 %0, tensorSum9;", out float sum9);
        CudaAsm.Emit("mov.f32 %0, tensorSum10;", out float sum10);
        CudaAsm.Emit("mov.f32 %0, tensorSum11;", out float sum11);
        CudaAsm.Emit("mov.f32 %0, tensorSum12;", out float sum12);
        CudaAsm.Emit("mov.f32 %0, tensorSum13;", out float sum13);
        CudaAsm.Emit("mov.f32 %0, tensorSum14;", out float sum14);
        CudaAsm.Emit("mov.f32 %0, tensorSum15;", out float sum15);
        return new Float4x4
        {
            Row0 = Quads.Of(sum0, sum1, sum2, sum3),
            Row1 = Quads.Of(sum4, sum5, sum6, sum7),
            Row2 = Quads.Of(sum8, sum9, sum10, sum11),
            Row3 = Quads.Of(sum12, sum13, sum14, sum15),
        };
    }
}
