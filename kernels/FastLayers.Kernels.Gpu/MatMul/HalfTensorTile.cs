using ILGPU.Runtime.Cuda;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Products of BF16 tiles by the tensor cores of CUDA devices of compute capability 8.0 and later, <c>mma.sync</c>: a warp multiplies 16 rows with 8
/// outputs over 16 columns, and each lane holds 4 of the results in registers of the assembly; see <see cref="CudaCodeSums"/>. Result 4j + i is
/// result i of the j-th 8 outputs; products gather in dots, and dots times scales in sums.
/// </summary>
/// <remarks>
/// Fragments (PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type"), with g = lane / 4 and t = lane % 4: words of two values
/// x0 and x1 are columns 2t and 2t+1 of rows g and g+8, x2 and x3 the columns 8 further; w0 and w1 are the same columns of output g; the
/// results are rows g, g, g+8, g+8 of outputs 2t, 2t+1, 2t, 2t+1.
/// </remarks>
internal static class HalfTensorTile
{
    /// <summary>Declares and clears the sums; once a kernel, before any loop, and in no branch that the uses are not in.</summary>
    public static void Begin()
    {
        CudaAsm.Emit(".reg .b32 halfX<4>; .reg .f32 halfDot<16>; .reg .f32 halfSum<16>;");
        CudaAsm.Emit(
            "mov.f32 halfDot0, 0f00000000; mov.f32 halfSum0, 0f00000000; mov.f32 halfDot1, 0f00000000; mov.f32 halfSum1, 0f00000000; "
            + "mov.f32 halfDot2, 0f00000000; mov.f32 halfSum2, 0f00000000; mov.f32 halfDot3, 0f00000000; mov.f32 halfSum3, 0f00000000; "
            + "mov.f32 halfDot4, 0f00000000; mov.f32 halfSum4, 0f00000000; mov.f32 halfDot5, 0f00000000; mov.f32 halfSum5, 0f00000000; "
            + "mov.f32 halfDot6, 0f00000000; mov.f32 halfSum6, 0f00000000; mov.f32 halfDot7, 0f00000000; mov.f32 halfSum7, 0f00000000; "
            + "mov.f32 halfDot8, 0f00000000; mov.f32 halfSum8, 0f00000000; mov.f32 halfDot9, 0f00000000; mov.f32 halfSum9, 0f00000000; "
            + "mov.f32 halfDot10, 0f00000000; mov.f32 halfSum10, 0f00000000; mov.f32 halfDot11, 0f00000000; mov.f32 halfSum11, 0f00000000; "
            + "mov.f32 halfDot12, 0f00000000; mov.f32 halfSum12, 0f00000000; mov.f32 halfDot13, 0f00000000; mov.f32 halfSum13, 0f00000000; "
            + "mov.f32 halfDot14, 0f00000000; mov.f32 halfSum14, 0f00000000; mov.f32 halfDot15, 0f00000000; mov.f32 halfSum15, 0f00000000;");
    }

    /// <summary>Sets the activations that the next products are with.</summary>
    public static void Activations(int x0, int x1, int x2, int x3) =>
        CudaAsm.Emit("mov.b32 halfX0, %0; mov.b32 halfX1, %1; mov.b32 halfX2, %2; mov.b32 halfX3, %3;", x0, x1, x2, x3);

    /// <summary>Adds 16 columns to the dots of the first 8 outputs.</summary>
    public static void MultiplyFirst(int w0, int w1) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {halfDot0, halfDot1, halfDot2, halfDot3}, "
            + "{halfX0, halfX1, halfX2, halfX3}, {%0, %1}, {halfDot0, halfDot1, halfDot2, halfDot3};",
            w0, w1);

    /// <summary>Adds 16 columns to the dots of the second 8 outputs.</summary>
    public static void MultiplySecond(int w0, int w1) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {halfDot4, halfDot5, halfDot6, halfDot7}, "
            + "{halfX0, halfX1, halfX2, halfX3}, {%0, %1}, {halfDot4, halfDot5, halfDot6, halfDot7};",
            w0, w1);

    /// <summary>Adds 16 columns to the dots of the third 8 outputs.</summary>
    public static void MultiplyThird(int w0, int w1) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {halfDot8, halfDot9, halfDot10, halfDot11}, "
            + "{halfX0, halfX1, halfX2, halfX3}, {%0, %1}, {halfDot8, halfDot9, halfDot10, halfDot11};",
            w0, w1);

    /// <summary>Adds 16 columns to the dots of the fourth 8 outputs.</summary>
    public static void MultiplyFourth(int w0, int w1) =>
        CudaAsm.Emit(
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {halfDot12, halfDot13, halfDot14, halfDot15}, "
            + "{halfX0, halfX1, halfX2, halfX3}, {%0, %1}, {halfDot12, halfDot13, halfDot14, halfDot15};",
            w0, w1);

    /// <summary>Adds the dots of the first 8 outputs, times their scales, to the sums, and clears them.</summary>
    public static void ScaleFirst(float scale, float nextScale) =>
        CudaAsm.Emit(
            "fma.rn.f32 halfSum0, halfDot0, %0, halfSum0; mov.f32 halfDot0, 0f00000000; "
            + "fma.rn.f32 halfSum1, halfDot1, %1, halfSum1; mov.f32 halfDot1, 0f00000000; "
            + "fma.rn.f32 halfSum2, halfDot2, %0, halfSum2; mov.f32 halfDot2, 0f00000000; "
            + "fma.rn.f32 halfSum3, halfDot3, %1, halfSum3; mov.f32 halfDot3, 0f00000000;",
            scale, nextScale);

    /// <summary>Adds the dots of the second 8 outputs, times their scales, to the sums, and clears them.</summary>
    public static void ScaleSecond(float scale, float nextScale) =>
        CudaAsm.Emit(
            "fma.rn.f32 halfSum4, halfDot4, %0, halfSum4; mov.f32 halfDot4, 0f00000000; "
            + "fma.rn.f32 halfSum5, halfDot5, %1, halfSum5; mov.f32 halfDot5, 0f00000000; "
            + "fma.rn.f32 halfSum6, halfDot6, %0, halfSum6; mov.f32 halfDot6, 0f00000000; "
            + "fma.rn.f32 halfSum7, halfDot7, %1, halfSum7; mov.f32 halfDot7, 0f00000000;",
            scale, nextScale);

    /// <summary>Adds the dots of the third 8 outputs, times their scales, to the sums, and clears them.</summary>
    public static void ScaleThird(float scale, float nextScale) =>
        CudaAsm.Emit(
            "fma.rn.f32 halfSum8, halfDot8, %0, halfSum8; mov.f32 halfDot8, 0f00000000; "
            + "fma.rn.f32 halfSum9, halfDot9, %1, halfSum9; mov.f32 halfDot9, 0f00000000; "
            + "fma.rn.f32 halfSum10, halfDot10, %0, halfSum10; mov.f32 halfDot10, 0f00000000; "
            + "fma.rn.f32 halfSum11, halfDot11, %1, halfSum11; mov.f32 halfDot11, 0f00000000;",
            scale, nextScale);

    /// <summary>Adds the dots of the fourth 8 outputs, times their scales, to the sums, and clears them.</summary>
    public static void ScaleFourth(float scale, float nextScale) =>
        CudaAsm.Emit(
            "fma.rn.f32 halfSum12, halfDot12, %0, halfSum12; mov.f32 halfDot12, 0f00000000; "
            + "fma.rn.f32 halfSum13, halfDot13, %1, halfSum13; mov.f32 halfDot13, 0f00000000; "
            + "fma.rn.f32 halfSum14, halfDot14, %0, halfSum14; mov.f32 halfDot14, 0f00000000; "
            + "fma.rn.f32 halfSum15, halfDot15, %1, halfSum15; mov.f32 halfDot15, 0f00000000;",
            scale, nextScale);

    /// <summary>The sums, those of 8 outputs a row.</summary>
    public static Float4x4 End()
    {
        CudaAsm.Emit("mov.f32 %0, halfSum0;", out float sum0);
        CudaAsm.Emit("mov.f32 %0, halfSum1;", out float sum1);
        CudaAsm.Emit("mov.f32 %0, halfSum2;", out float sum2);
        CudaAsm.Emit("mov.f32 %0, halfSum3;", out float sum3);
        CudaAsm.Emit("mov.f32 %0, halfSum4;", out float sum4);
        CudaAsm.Emit("mov.f32 %0, halfSum5;", out float sum5);
        CudaAsm.Emit("mov.f32 %0, halfSum6;", out float sum6);
        CudaAsm.Emit("mov.f32 %0, halfSum7;", out float sum7);
        CudaAsm.Emit("mov.f32 %0, halfSum8;", out float sum8);
        CudaAsm.Emit("mov.f32 %0, halfSum9;", out float sum9);
        CudaAsm.Emit("mov.f32 %0, halfSum10;", out float sum10);
        CudaAsm.Emit("mov.f32 %0, halfSum11;", out float sum11);
        CudaAsm.Emit("mov.f32 %0, halfSum12;", out float sum12);
        CudaAsm.Emit("mov.f32 %0, halfSum13;", out float sum13);
        CudaAsm.Emit("mov.f32 %0, halfSum14;", out float sum14);
        CudaAsm.Emit("mov.f32 %0, halfSum15;", out float sum15);
        return new Float4x4
        {
            Row0 = Quads.Of(sum0, sum1, sum2, sum3),
            Row1 = Quads.Of(sum4, sum5, sum6, sum7),
            Row2 = Quads.Of(sum8, sum9, sum10, sum11),
            Row3 = Quads.Of(sum12, sum13, sum14, sum15),
        };
    }
}
