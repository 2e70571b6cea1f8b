using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// Adds the products of a panel with operands, those of queries or of their weights, to sums. Up to four operands go over a panel together: a register of
/// cells and the broadcast cell of an operand serve several of the eight accumulators. Bound: one multiplication and addition a register of cells and operand.
/// </summary>
internal static unsafe class PanelProducts<TCells> where TCells : struct, ICells
{
    private const int Lanes = 8;

    /// <summary>Groups that go together with fewer than four operands; panels have room for whole multiples.</summary>
    private const int MostGroups = 4;

    /// <summary>Adds products: <c>sums[o, 8g + i] += scales[8g + i] · operandScales[o] · Σ cells[g, step, i] · operands[o, step]</c>.</summary>
    /// <param name="cells">The panel.</param>
    /// <param name="groups">Groups of eight sums.</param>
    /// <param name="groupSteps">Steps from group to group.</param>
    /// <param name="steps">Steps to go.</param>
    /// <param name="scales">Factor of each column of sums.</param>
    /// <param name="operands">The operands.</param>
    /// <param name="operandScales">Factor of each operand.</param>
    /// <param name="sums">The sums; of the last four groups all are written.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(int* cells, int groups, int groupSteps, int steps, float* scales, Rows<int> operands, Rows<float> operandScales, Rows<float> sums)
    {
        int operand = 0;
        for (; operand + 4 <= operands.Count; operand += 4) Tile<FourQueries>(cells, groups, groupSteps, steps, scales, operands.From(operand), operandScales.From(operand), sums.From(operand));
        if (operand + 2 <= operands.Count)
        {
            Tile<TwoQueries>(cells, groups, groupSteps, steps, scales, operands.From(operand), operandScales.From(operand), sums.From(operand));
            operand += 2;
        }

        if (operand < operands.Count) Tile<OneQuery>(cells, groups, groupSteps, steps, scales, operands.From(operand), operandScales.From(operand), sums.From(operand));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TTile>(int* cells, int groups, int groupSteps, int steps, float* scales, Rows<int> operands, Rows<float> operandScales, Rows<float> sums)
        where TTile : struct, IQueryTile
    {
        int together = TTile.Queries == 4 ? 2 : MostGroups;
        long next = (long)groupSteps * Lanes;
        for (int group = 0; group < groups; group += together, cells += together * next)
        {
            int* o0 = operands[0], o1 = TTile.Queries > 1 ? operands[1] : o0, o2 = TTile.Queries > 2 ? operands[2] : o0, o3 = TTile.Queries > 2 ? operands[3] : o0;
            var s0 = TCells.Begin(o0 + steps);
            var s1 = TTile.Queries > 1 ? TCells.Begin(o1 + steps) : s0;
            var s2 = TTile.Queries > 2 ? TCells.Begin(o2 + steps) : s0;
            var s3 = TTile.Queries > 2 ? TCells.Begin(o3 + steps) : s1;
            Vector256<int> s4 = s0, s5 = s1, s6 = s2, s7 = s3;
            int* c0 = cells, c1 = cells + next, c2 = cells + (2 * next), c3 = cells + (3 * next);
            for (int step = 0; step < steps; step++, c0 += Lanes, c1 += Lanes, c2 += Lanes, c3 += Lanes)
            {
                var a = Vector256.Create(o0[step]);
                var c = Vector256.Load(c0);
                if (TTile.Queries == 1)
                {
                    s0 = TCells.Add(s0, c, a);
                    s1 = TCells.Add(s1, Vector256.Load(c1), a);
                    s2 = TCells.Add(s2, Vector256.Load(c2), a);
                    s3 = TCells.Add(s3, Vector256.Load(c3), a);
                    continue;
                }

                var b = Vector256.Create(o1[step]);
                s0 = TCells.Add(s0, c, a);
                s1 = TCells.Add(s1, c, b);
                if (TTile.Queries == 2)
                {
                    c = Vector256.Load(c1);
                    s2 = TCells.Add(s2, c, a);
                    s3 = TCells.Add(s3, c, b);
                    c = Vector256.Load(c2);
                    s4 = TCells.Add(s4, c, a);
                    s5 = TCells.Add(s5, c, b);
                    c = Vector256.Load(c3);
                    s6 = TCells.Add(s6, c, a);
                    s7 = TCells.Add(s7, c, b);
                    continue;
                }

                var d = Vector256.Create(o2[step]);
                var e = Vector256.Create(o3[step]);
                s2 = TCells.Add(s2, c, d);
                s3 = TCells.Add(s3, c, e);
                c = Vector256.Load(c1);
                s4 = TCells.Add(s4, c, a);
                s5 = TCells.Add(s5, c, b);
                s6 = TCells.Add(s6, c, d);
                s7 = TCells.Add(s7, c, e);
            }

            // Accumulator i is that of operand i mod the operands of the tile, and of the group of the quotient.
            float* factors = scales + (group * Lanes);
            float* sum0 = sums[0] + (group * Lanes), sum1 = TTile.Queries > 1 ? sum0 + sums.Stride : sum0;
            float* sum2 = TTile.Queries > 2 ? sum1 + sums.Stride : sum0, sum3 = TTile.Queries > 2 ? sum2 + sums.Stride : sum1;
            Vector256<float> f0 = Vector256.Create(*operandScales[0]), f1 = TTile.Queries > 1 ? Vector256.Create(*operandScales[1]) : f0;
            Vector256<float> f2 = TTile.Queries > 2 ? Vector256.Create(*operandScales[2]) : f0, f3 = TTile.Queries > 2 ? Vector256.Create(*operandScales[3]) : f1;
            AddTo<TTile>(s0, 0, factors, f0, sum0);
            AddTo<TTile>(s1, 1, factors, f1, sum1);
            AddTo<TTile>(s2, 2, factors, f2, sum2);
            AddTo<TTile>(s3, 3, factors, f3, sum3);
            if (TTile.Queries == 1) continue;
            AddTo<TTile>(s4, 4, factors, f0, sum0);
            AddTo<TTile>(s5, 5, factors, f1, sum1);
            AddTo<TTile>(s6, 6, factors, f2, sum2);
            AddTo<TTile>(s7, 7, factors, f3, sum3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo<TTile>(Vector256<int> accumulator, int index, float* factors, Vector256<float> factor, float* sum)
        where TTile : struct, IQueryTile
    {
        int column = index / TTile.Queries * Lanes;
        Vector256.MultiplyAddEstimate(TCells.Total(accumulator), Vector256.Load(factors + column) * factor, Vector256.Load(sum + column)).Store(sum + column);
    }
}
