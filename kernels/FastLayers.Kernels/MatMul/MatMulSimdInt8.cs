using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// Matrix product of a block-quantized matrix with activations rounded to 8 bit. Every block format is unpacked to signed 8-bit codes
/// with one scale and one minimum a group (<see cref="Format.Unpack"/>), <see cref="RowTile"/> weight rows at a time, and each row is
/// multiplied with all activation rows: integer products within a block of 32 are exact, blocks are summed in float with their scales,
/// and minimums enter through the stored sums of the activations. Bound: unpacking where there is one activation row, else about eight
/// instructions a block of 32.
/// </summary>
public static unsafe class MatMulSimdInt8
{
    private const int RowTile = MatMulSimdFloat.RowTile;

    /// <summary>Whether the format has an integer path; the float formats have none.</summary>
    public static bool Supports(Format format)
    {
        ArgumentNullException.ThrowIfNull(format);
        return format.GroupLength is 16 or 32 && format.BlockLength % QuantizedActivations.BlockLength == 0;
    }

    /// <summary>Computes the product.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="arguments">The operands; <see cref="MatMulArguments.Input"/> is not read.</param>
    /// <param name="activations">The rounded input.</param>
    /// <exception cref="ArgumentException">
    /// A size is negative, a weight row is not whole blocks, the activations have another shape than the input, or the format has no 8-bit path.
    /// </exception>
    public static void Multiply(WorkerPool pool, in MatMulArguments arguments, in QuantizedActivations activations) =>
        Multiply(pool, arguments, activations, SimdDispatch.Level);

    internal static void Multiply(WorkerPool pool, in MatMulArguments arguments, in QuantizedActivations activations, SimdLevel level)
    {
        ArgumentNullException.ThrowIfNull(pool);
        arguments.Check(nameof(MatMulSimdInt8));
        if (!Supports(arguments.Format)) throw new ArgumentException($"{nameof(MatMulSimdInt8)}: {arguments.Format.Name} has no 8-bit path.", nameof(arguments));
        if (activations.Rows != arguments.Rows || activations.Columns != arguments.Columns)
        {
            throw new ArgumentException(
                $"{nameof(MatMulSimdInt8)}: expected activations of [{arguments.Rows}, {arguments.Columns}], found [{activations.Rows}, {activations.Columns}].",
                nameof(activations));
        }

        int tiles = (arguments.Outputs + RowTile - 1) / RowTile;
        if (level == SimdLevel.V128 || !Avx2.IsSupported) pool.Run(new Work<CodeProducts128>(pool, arguments, activations), tiles);
        else if (AvxVnni.IsSupported) pool.Run(new Work<CodeProductsAvxVnni>(pool, arguments, activations), tiles);
        else pool.Run(new Work<CodeProductsAvx2>(pool, arguments, activations), tiles);
    }

    /// <summary>A weight row after unpacking.</summary>
    private readonly struct UnpackedRow(sbyte* codes, float* scales, float* minimums)
    {
        public readonly sbyte* Codes = codes;
        public readonly float* Scales = scales;
        public readonly float* Minimums = minimums;
    }

    /// <summary>The weight scales within a block of 32 activations.</summary>
    private interface IBlockScales
    {
        /// <summary>Scales a block.</summary>
        static abstract int Count { get; }

        /// <summary>The scales of one block times that of the activations, in the lanes of <see cref="ICodeProducts.Products"/>.</summary>
        static abstract Vector256<float> Scaled(float activationScale, float* scales);
    }

    /// <summary>Groups of 32.</summary>
    private readonly struct OneScale : IBlockScales
    {
        public static int Count => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Scaled(float activationScale, float* scales) => Vector256.Create(activationScale * scales[0]);
    }

    /// <summary>Groups of 16.</summary>
    private readonly struct TwoScales : IBlockScales
    {
        public static int Count => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Scaled(float activationScale, float* scales) =>
            Vector256.Create(Vector128.Create(activationScale * scales[0]), Vector128.Create(activationScale * scales[1]));
    }

    private readonly struct Work<TProducts>(WorkerPool pool, MatMulArguments arguments, QuantizedActivations activations) : IParallelWork
        where TProducts : struct, ICodeProducts
    {
        public void Execute(int start, int end, int worker)
        {
            var format = arguments.Format;
            int columns = arguments.Columns;
            int groups = columns / format.GroupLength;
            long rowBytes = arguments.RowBytes;
            long unpackedBytes = columns + (2L * groups * sizeof(float));
            unpackedBytes = (unpackedBytes + 63) & ~63L;
            byte* scratch = pool.Scratch(worker, RowTile * unpackedBytes);
            for (int tile = start; tile < end; tile++)
            {
                int first = tile * RowTile;
                int count = Math.Min(RowTile, arguments.Outputs - first);
                byte* weights = arguments.Weights + (first * rowBytes);
                for (int r = 0; r < count; r++)
                {
                    var row = Row(scratch, unpackedBytes, r, columns, groups);
                    format.Unpack(new ReadOnlySpan<byte>(weights + (r * rowBytes), (int)rowBytes), new Span<sbyte>(row.Codes, columns), new Span<float>(row.Scales, groups), new Span<float>(row.Minimums, groups));
                }

                // Missing rows of the last tile are the first one computed again and not stored.
                var r0 = Row(scratch, unpackedBytes, 0, columns, groups);
                var r1 = Row(scratch, unpackedBytes, count > 1 ? 1 : 0, columns, groups);
                var r2 = Row(scratch, unpackedBytes, count > 2 ? 2 : 0, columns, groups);
                var r3 = Row(scratch, unpackedBytes, count > 3 ? 3 : 0, columns, groups);
                if (format.GroupLength == 32) Tile<OneScale>(r0, r1, r2, r3, first, count);
                else Tile<TwoScales>(r0, r1, r2, r3, first, count);
            }
        }

        private static UnpackedRow Row(byte* scratch, long bytes, int index, int columns, int groups)
        {
            byte* memory = scratch + (index * bytes);
            float* scales = (float*)(memory + columns);
            return new UnpackedRow((sbyte*)memory, scales, scales + groups);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Tile<TScales>(UnpackedRow r0, UnpackedRow r1, UnpackedRow r2, UnpackedRow r3, int first, int count)
            where TScales : struct, IBlockScales
        {
            int blocks = arguments.Columns / QuantizedActivations.BlockLength;
            int groups = blocks * TScales.Count;
            float* sums = TScales.Count == 1 ? activations.Sums32 : activations.Sums16;
            for (int m = 0; m < arguments.Rows; m++)
            {
                sbyte* x = activations.Codes + ((long)m * arguments.Columns);
                float* scales = activations.Scales + ((long)m * blocks);
                var s0 = Vector256<float>.Zero;
                var s1 = Vector256<float>.Zero;
                var s2 = Vector256<float>.Zero;
                var s3 = Vector256<float>.Zero;
                for (int b = 0; b < blocks; b++, x += 32)
                {
                    float scale = scales[b];
                    s0 = Add(TProducts.Products(r0.Codes + (b * 32), x), TScales.Scaled(scale, r0.Scales + (b * TScales.Count)), s0);
                    s1 = Add(TProducts.Products(r1.Codes + (b * 32), x), TScales.Scaled(scale, r1.Scales + (b * TScales.Count)), s1);
                    s2 = Add(TProducts.Products(r2.Codes + (b * 32), x), TScales.Scaled(scale, r2.Scales + (b * TScales.Count)), s2);
                    s3 = Add(TProducts.Products(r3.Codes + (b * 32), x), TScales.Scaled(scale, r3.Scales + (b * TScales.Count)), s3);
                }

                Store(m, first, count, new RowSums(s0, s1, s2, s3), r0, r1, r2, r3, sums + ((long)m * groups), groups);
            }
        }

        private readonly ref struct RowSums(Vector256<float> s0, Vector256<float> s1, Vector256<float> s2, Vector256<float> s3)
        {
            public readonly Vector256<float> S0 = s0;
            public readonly Vector256<float> S1 = s1;
            public readonly Vector256<float> S2 = s2;
            public readonly Vector256<float> S3 = s3;
        }

        private void Store(int m, int first, int count, in RowSums sums, UnpackedRow r0, UnpackedRow r1, UnpackedRow r2, UnpackedRow r3, float* activationSums, int groups)
        {
            float* output = arguments.Output + ((long)m * arguments.Outputs) + first;
            float* bias = arguments.Bias == null ? null : arguments.Bias + first;
            output[0] = Finish(sums.S0, r0.Minimums, activationSums, groups, bias, 0);
            if (count > 1) output[1] = Finish(sums.S1, r1.Minimums, activationSums, groups, bias, 1);
            if (count > 2) output[2] = Finish(sums.S2, r2.Minimums, activationSums, groups, bias, 2);
            if (count > 3) output[3] = Finish(sums.S3, r3.Minimums, activationSums, groups, bias, 3);
        }

        private float Finish(Vector256<float> sums, float* minimums, float* activationSums, int groups, float* bias, int index)
        {
            float value = Sum(sums);
            if (arguments.Format.HasMinimums) value -= Dot(minimums, activationSums, groups);
            return bias == null ? value : value + bias[index];
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Add(Vector256<int> products, Vector256<float> scale, Vector256<float> sum) =>
            Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(products), scale, sum);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static float Sum(Vector256<float> value)
        {
            var half = value.GetLower() + value.GetUpper();
            return (half[0] + half[2]) + (half[1] + half[3]);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float Dot(float* a, float* b, int count)
        {
            var sum = Vector256<float>.Zero;
            int i = 0;
            for (; i + 8 <= count; i += 8) sum = Vector256.MultiplyAddEstimate(Vector256.Load(a + i), Vector256.Load(b + i), sum);
            float result = Sum(sum);
            for (; i < count; i++) result += a[i] * b[i];
            return result;
        }
    }
}
