using ILGPU.Runtime.Cuda;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// The sums of a thread of <see cref="Int8GemmKernels"/>, 4 rows times 4 outputs: exact integers within a piece of the columns, then floats.
/// </summary>
internal interface ICodeTile
{
    /// <summary>Clears the sums; once a kernel, before any loop.</summary>
    void Begin();

    /// <summary>Adds the products of the words of 4 rows with those of 4 outputs to the integers.</summary>
    Int4x4 AddDots(Int4x4 dots, Int4 x, Int4 w);

    /// <summary>Adds the integers, times the scales of their rows and outputs, to the floats; the integers begin again at zero.</summary>
    Float4x4 AddScaled(Float4x4 sums, Int4x4 dots, Float4 rowScales, Float4 scales);

    /// <summary>The floats; once a kernel, after all loops.</summary>
    Float4x4 End(Float4x4 sums);
}

/// <summary>Sums in the variables that go in and come out, for every device.</summary>
internal readonly struct PortableCodeTile : ICodeTile
{
    public void Begin()
    {
    }

    public Int4x4 AddDots(Int4x4 dots, Int4 x, Int4 w) => new()
    {
        Row0 = Int4.AddDots(dots.Row0, x.X, w),
        Row1 = Int4.AddDots(dots.Row1, x.Y, w),
        Row2 = Int4.AddDots(dots.Row2, x.Z, w),
        Row3 = Int4.AddDots(dots.Row3, x.W, w),
    };

    public Float4x4 AddScaled(Float4x4 sums, Int4x4 dots, Float4 rowScales, Float4 scales) => new()
    {
        Row0 = Quads.AddProducts(sums.Row0, rowScales.X, scales, dots.Row0),
        Row1 = Quads.AddProducts(sums.Row1, rowScales.Y, scales, dots.Row1),
        Row2 = Quads.AddProducts(sums.Row2, rowScales.Z, scales, dots.Row2),
        Row3 = Quads.AddProducts(sums.Row3, rowScales.W, scales, dots.Row3),
    };

    public Float4x4 End(Float4x4 sums) => sums;
}

/// <summary>Sums with dp4a in registers of inline assembly, for the reason that <see cref="CudaCodeSums"/> gives; sum 4m + n is row m, output n.</summary>
internal readonly struct CudaCodeTile : ICodeTile
{
    public void Begin()
    {
        CudaAsm.Emit(".reg .s32 tileDot<16>; .reg .f32 tileScale; .reg .f32 tileValue; .reg .f32 tileSum<16>;");
        CudaAsm.Emit(
            "mov.s32 tileDot0, 0; mov.f32 tileSum0, 0f00000000; "
            + "mov.s32 tileDot1, 0; mov.f32 tileSum1, 0f00000000; "
            + "mov.s32 tileDot2, 0; mov.f32 tileSum2, 0f00000000; "
            + "mov.s32 tileDot3, 0; mov.f32 tileSum3, 0f00000000; "
            + "mov.s32 tileDot4, 0; mov.f32 tileSum4, 0f00000000; "
            + "mov.s32 tileDot5, 0; mov.f32 tileSum5, 0f00000000; "
            + "mov.s32 tileDot6, 0; mov.f32 tileSum6, 0f00000000; "
            + "mov.s32 tileDot7, 0; mov.f32 tileSum7, 0f00000000; "
            + "mov.s32 tileDot8, 0; mov.f32 tileSum8, 0f00000000; "
            + "mov.s32 tileDot9, 0; mov.f32 tileSum9, 0f00000000; "
            + "mov.s32 tileDot10, 0; mov.f32 tileSum10, 0f00000000; "
            + "mov.s32 tileDot11, 0; mov.f32 tileSum11, 0f00000000; "
            + "mov.s32 tileDot12, 0; mov.f32 tileSum12, 0f00000000; "
            + "mov.s32 tileDot13, 0; mov.f32 tileSum13, 0f00000000; "
            + "mov.s32 tileDot14, 0; mov.f32 tileSum14, 0f00000000; "
            + "mov.s32 tileDot15, 0; mov.f32 tileSum15, 0f00000000; ");
    }

    public Int4x4 AddDots(Int4x4 dots, Int4 x, Int4 w)
    {
        CudaAsm.Emit(
            "dp4a.s32.s32 tileDot0, %0, %4, tileDot0; "
            + "dp4a.s32.s32 tileDot1, %0, %5, tileDot1; "
            + "dp4a.s32.s32 tileDot2, %0, %6, tileDot2; "
            + "dp4a.s32.s32 tileDot3, %0, %7, tileDot3; "
            + "dp4a.s32.s32 tileDot4, %1, %4, tileDot4; "
            + "dp4a.s32.s32 tileDot5, %1, %5, tileDot5; "
            + "dp4a.s32.s32 tileDot6, %1, %6, tileDot6; "
            + "dp4a.s32.s32 tileDot7, %1, %7, tileDot7; "
            + "dp4a.s32.s32 tileDot8, %2, %4, tileDot8; "
            + "dp4a.s32.s32 tileDot9, %2, %5, tileDot9; "
            + "dp4a.s32.s32 tileDot10, %2, %6, tileDot10; "
            + "dp4a.s32.s32 tileDot11, %2, %7, tileDot11; "
            + "dp4a.s32.s32 tileDot12, %3, %4, tileDot12; "
            + "dp4a.s32.s32 tileDot13, %3, %5, tileDot13; "
            + "dp4a.s32.s32 tileDot14, %3, %6, tileDot14; "
            + "dp4a.s32.s32 tileDot15, %3, %7, tileDot15; ",
            x.X, x.Y, x.Z, x.W, w.X, w.Y, w.Z, w.W);
        return dots;
    }

    public Float4x4 AddScaled(Float4x4 sums, Int4x4 dots, Float4 rowScales, Float4 scales)
    {
        CudaAsm.Emit(
            "mul.f32 tileScale, %0, %4; cvt.rn.f32.s32 tileValue, tileDot0; fma.rn.f32 tileSum0, tileValue, tileScale, tileSum0; mov.s32 tileDot0, 0; "
            + "mul.f32 tileScale, %0, %5; cvt.rn.f32.s32 tileValue, tileDot1; fma.rn.f32 tileSum1, tileValue, tileScale, tileSum1; mov.s32 tileDot1, 0; "
            + "mul.f32 tileScale, %0, %6; cvt.rn.f32.s32 tileValue, tileDot2; fma.rn.f32 tileSum2, tileValue, tileScale, tileSum2; mov.s32 tileDot2, 0; "
            + "mul.f32 tileScale, %0, %7; cvt.rn.f32.s32 tileValue, tileDot3; fma.rn.f32 tileSum3, tileValue, tileScale, tileSum3; mov.s32 tileDot3, 0; "
            + "mul.f32 tileScale, %1, %4; cvt.rn.f32.s32 tileValue, tileDot4; fma.rn.f32 tileSum4, tileValue, tileScale, tileSum4; mov.s32 tileDot4, 0; "
            + "mul.f32 tileScale, %1, %5; cvt.rn.f32.s32 tileValue, tileDot5; fma.rn.f32 tileSum5, tileValue, tileScale, tileSum5; mov.s32 tileDot5, 0; "
            + "mul.f32 tileScale, %1, %6; cvt.rn.f32.s32 tileValue, tileDot6; fma.rn.f32 tileSum6, tileValue, tileScale, tileSum6; mov.s32 tileDot6, 0; "
            + "mul.f32 tileScale, %1, %7; cvt.rn.f32.s32 tileValue, tileDot7; fma.rn.f32 tileSum7, tileValue, tileScale, tileSum7; mov.s32 tileDot7, 0; "
            + "mul.f32 tileScale, %2, %4; cvt.rn.f32.s32 tileValue, tileDot8; fma.rn.f32 tileSum8, tileValue, tileScale, tileSum8; mov.s32 tileDot8, 0; "
            + "mul.f32 tileScale, %2, %5; cvt.rn.f32.s32 tileValue, tileDot9; fma.rn.f32 tileSum9, tileValue, tileScale, tileSum9; mov.s32 tileDot9, 0; "
            + "mul.f32 tileScale, %2, %6; cvt.rn.f32.s32 tileValue, tileDot10; fma.rn.f32 tileSum10, tileValue, tileScale, tileSum10; mov.s32 tileDot10, 0; "
            + "mul.f32 tileScale, %2, %7; cvt.rn.f32.s32 tileValue, tileDot11; fma.rn.f32 tileSum11, tileValue, tileScale, tileSum11; mov.s32 tileDot11, 0; "
            + "mul.f32 tileScale, %3, %4; cvt.rn.f32.s32 tileValue, tileDot12; fma.rn.f32 tileSum12, tileValue, tileScale, tileSum12; mov.s32 tileDot12, 0; "
            + "mul.f32 tileScale, %3, %5; cvt.rn.f32.s32 tileValue, tileDot13; fma.rn.f32 tileSum13, tileValue, tileScale, tileSum13; mov.s32 tileDot13, 0; "
            + "mul.f32 tileScale, %3, %6; cvt.rn.f32.s32 tileValue, tileDot14; fma.rn.f32 tileSum14, tileValue, tileScale, tileSum14; mov.s32 tileDot14, 0; "
            + "mul.f32 tileScale, %3, %7; cvt.rn.f32.s32 tileValue, tileDot15; fma.rn.f32 tileSum15, tileValue, tileScale, tileSum15; mov.s32 tileDot15, 0; ",
            rowScales.X, rowScales.Y, rowScales.Z, rowScales.W, scales.X, scales.Y, scales.Z, scales.W);
        return sums;
    }

    public Float4x4 End(Float4x4 sums)
    {
        CudaAsm.Emit("mov.f32 %0, tileSum0;", out float sum0);
        CudaAsm.Emit("mov.f32 %0, tileSum1;", out float sum1);
        CudaAsm.Emit("mov.f32 %0, tileSum2;", out float sum2);
        CudaAsm.Emit("mov.f32 %0, tileSum3;", out float sum3);
        CudaAsm.Emit("mov.f32 %0, tileSum4;", out float sum4);
        CudaAsm.Emit("mov.f32 %0, tileSum5;", out float sum5);
        CudaAsm.Emit("mov.f32 %0, tileSum6;", out float sum6);
        CudaAsm.Emit("mov.f32 %0, tileSum7;", out float sum7);
        CudaAsm.Emit("mov.f32 %0, tileSum8;", out float sum8);
        CudaAsm.Emit("mov.f32 %0, tileSum9;", out float sum9);
        CudaAsm.Emit("mov.f32 %0, tileSum10;", out float sum10);
        CudaAsm.Emit("mov.f32 %0, tileSum11;", out float sum11);
        CudaAsm.Emit("mov.f32 %0, tileSum12;", out float sum12);
        CudaAsm.Emit("mov.f32 %0, tileSum13;", out float sum13);
        CudaAsm.Emit("mov.f32 %0, tileSum14;", out float sum14);
        CudaAsm.Emit("mov.f32 %0, tileSum15;", out float sum15);
        return new Float4x4
        {
            Row0 = Quads.Add(sums.Row0, Quads.Of(sum0, sum1, sum2, sum3)),
            Row1 = Quads.Add(sums.Row1, Quads.Of(sum4, sum5, sum6, sum7)),
            Row2 = Quads.Add(sums.Row2, Quads.Of(sum8, sum9, sum10, sum11)),
            Row3 = Quads.Add(sums.Row3, Quads.Of(sum12, sum13, sum14, sum15)),
        };
    }
}

/// <summary>Integers of 4 rows and 4 outputs.</summary>
internal struct Int4x4
{
    public Int4 Row0;
    public Int4 Row1;
    public Int4 Row2;
    public Int4 Row3;
}

/// <summary>Floats of 4 rows and 4 outputs.</summary>
internal struct Float4x4
{
    public Float4 Row0;
    public Float4 Row1;
    public Float4 Row2;
    public Float4 Row3;
}
