using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Attention;

/// <summary>
/// Attention of a tile of queries to one part of the context, with the softmax computed online. Queries lie in slots, four to a quad: the
/// four queries of a quad are neighbors in shared memory, so that one load of a key or value, and one of four queries or weights, feed 16
/// multiply-adds. 128 positions at a time: scores (a thread takes a position and a quad), maxima and weights (up to 16 threads a slot), then the
/// sums of values (a thread takes 4 values and a quad; if threads are left over, teams take the positions in turn).
/// </summary>
internal static class AttentionTile
{
    /// <summary>The most quads a tile.</summary>
    public const int MaxQuads = 4;

    /// <summary>The most values a head; also the most quads times values, so that the queries fit into shared memory.</summary>
    public const int MaxHeadSize = 512;

    private const int Positions = 128;
    private const int MaxTeams = 16;
    private const int MaxSlots = MaxQuads * 4;
    private const int LanesPerSlot = 16;

    /// <summary>Sums of four slots that shared memory has room for: those of one team with the largest heads.</summary>
    private const int MaxSums = MaxHeadSize;

    /// <summary>Stands for -∞, with which no arithmetic gives NaN.</summary>
    private const float Nothing = -3e38f;

    internal static void Run<TKeys, TValues>(Arguments<TKeys, TValues> a)
        where TKeys : struct, IGpuCacheSide
        where TValues : struct, IGpuCacheSide
    {
        // [quads, padded key size], [teams, quads, padded value size] and [quads, positions], four slots each.
        var query = SharedMemory.Allocate<Four<float>>(MaxHeadSize);
        var sums = SharedMemory.Allocate<Four<float>>(MaxSums);
        var weights = SharedMemory.Allocate<Four<float>>(MaxQuads * Positions);
        var slots = new SlotMemory
        {
            PartialMax = SharedMemory.Allocate<float>(MaxSlots * LanesPerSlot),
            PartialSum = SharedMemory.Allocate<float>(MaxSlots * LanesPerSlot),
            Max = SharedMemory.Allocate<float>(2 * MaxSlots),
            Rescale = SharedMemory.Allocate<Four<float>>(MaxQuads),
            First = SharedMemory.Allocate<int>(MaxSlots),
            End = SharedMemory.Allocate<int>(MaxSlots),
        };
        var pages = SharedMemory.Allocate<int>(Positions);

        int kvHead = Grid.IdxY / a.HeadTiles;
        int tileHead = (Grid.IdxY % a.HeadTiles) * a.HeadsPerTile;
        int lastRow = IntrinsicMath.Min(a.Rows, (Grid.IdxX + 1) * a.RowsPerTile);
        int padded = (a.Values.Size + 3) & ~3;
        int vectors = a.Quads * (padded >> 2);
        int teams = IntrinsicMath.Max(1, IntrinsicMath.Min(MaxTeams, IntrinsicMath.Min(Group.DimX / vectors, MaxSums / (4 * vectors))));

        // Rows in a row that belong to the same sequence; nearly always all rows of the tile.
        int runEnd;
        for (int row = Grid.IdxX * a.RowsPerTile; row < lastRow; row = runEnd)
        {
            int sequence = a.Sequences[row];
            int first = int.MaxValue;
            int end = 0;
            for (runEnd = row; runEnd < lastRow && a.Sequences[runEnd] == sequence; runEnd++)
            {
                int rowFirst = a.HasFirst != 0 ? a.First[runEnd] : 0;
                if (rowFirst >= a.End[runEnd]) continue;
                first = IntrinsicMath.Min(first, rowFirst);
                end = IntrinsicMath.Max(end, a.End[runEnd]);
            }

            first = IntrinsicMath.Min(first, end);
            int share = (((end - first + a.Splits - 1) / a.Splits) + Positions - 1) / Positions * Positions;
            first = IntrinsicMath.Min(end, first + (Grid.IdxZ * share));
            end = IntrinsicMath.Min(end, first + share);

            LoadSlots(a, query, slots, row, runEnd, (kvHead * a.HeadsPerKvHead) + tileHead, IntrinsicMath.Min(a.HeadsPerTile, a.HeadsPerKvHead - tileHead));
            for (int i = Group.IdxX; i < teams * a.Quads * padded; i += Group.DimX) sums[i] = default;
            Group.Barrier();

            int parity = 0;
            for (int start = first; start < end; start += Positions)
            {
                int count = IntrinsicMath.Min(Positions, end - start);
                Score(a, query, weights, pages, slots, sequence, kvHead, start, count);
                Group.Barrier();
                PartialMaxima(a.Quads, weights.Cast<float>(), slots, count);
                Group.Barrier();
                Weigh(a.Quads, weights.Cast<float>(), slots, count, parity);
                Group.Barrier();
                AddValues(a, sums, weights, pages, slots, sequence, kvHead, start, count, padded, teams);
                Group.Barrier();
                parity = 1 - parity;
            }

            Store(a, sums.Cast<float>(), slots, row, runEnd, (kvHead * a.HeadsPerKvHead) + tileHead, IntrinsicMath.Min(a.HeadsPerTile, a.HeadsPerKvHead - tileHead), padded, teams, parity);
            Group.Barrier();
        }
    }

    /// <summary>Queries, scaled, and what each sees; slots without a query see nothing.</summary>
    private static void LoadSlots<TKeys, TValues>(Arguments<TKeys, TValues> a, ArrayView<Four<float>> query, SlotMemory slots, int row, int runEnd, int head, int heads)
        where TKeys : struct, IGpuCacheSide
        where TValues : struct, IGpuCacheSide
    {
        var floats = query.Cast<float>();
        int size = a.Keys.Size;
        int padded = (size + 3) & ~3;
        int tileRow = Grid.IdxX * a.RowsPerTile;
        for (int i = Group.IdxX; i < a.Quads * 4 * padded; i += Group.DimX)
        {
            int slot = i / padded;
            int d = i - (slot * padded);
            int slotRow = tileRow + (slot / a.HeadsPerTile);
            int slotHead = slot % a.HeadsPerTile;
            bool used = d < size && slotHead < heads && slotRow >= row && slotRow < runEnd;
            floats[(((slot >> 2) * padded) + d) * 4 + (slot & 3)] = used ? a.Query[((((long)slotRow * a.Heads) + head + slotHead) * size) + d] * a.Scale : 0f;
        }

        for (int slot = Group.IdxX; slot < a.Quads * 4; slot += Group.DimX)
        {
            int slotRow = tileRow + (slot / a.HeadsPerTile);
            bool used = slot % a.HeadsPerTile < heads && slotRow >= row && slotRow < runEnd;
            slots.First[slot] = used && a.HasFirst != 0 ? a.First[slotRow] : 0;
            slots.End[slot] = used ? a.End[slotRow] : 0;
            slots.Max[slot] = Nothing;
            slots.Max[MaxSlots + slot] = Nothing;
            for (int lane = 0; lane < LanesPerSlot; lane++) slots.PartialSum[(slot * LanesPerSlot) + lane] = 0;
        }
    }

    private static void Score<TKeys, TValues>(
        Arguments<TKeys, TValues> a, ArrayView<Four<float>> query, ArrayView<Four<float>> scores, ArrayView<int> pages, SlotMemory slots, int sequence, int kvHead, int start, int count)
        where TKeys : struct, IGpuCacheSide
        where TValues : struct, IGpuCacheSide
    {
        int size = a.Keys.Size;
        int padded = (size + 3) & ~3;
        for (int unit = Group.IdxX; unit < a.Quads * Positions; unit += Group.DimX)
        {
            int quad = unit / Positions;
            int token = unit % Positions;
            if (token >= count) continue;
            int position = start + token;
            int page = a.PageTable[((long)sequence * a.PagesPerSequence) + (position / PagedCache.PageLength)];
            if (quad == 0) pages[token] = page;
            long row = a.Keys.Row(sequence, page, position, kvHead);
            var q = query.SubView(quad * padded, padded);
            float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
            for (int d = 0; d < size; d += 4)
            {
                var key = a.Keys.Load(row, position, d);
                var qa = q[d];
                var qb = q[d + 1];
                var qc = q[d + 2];
                var qd = q[d + 3];
                s0 += (key.A * qa.A) + (key.B * qb.A) + (key.C * qc.A) + (key.D * qd.A);
                s1 += (key.A * qa.B) + (key.B * qb.B) + (key.C * qc.B) + (key.D * qd.B);
                s2 += (key.A * qa.C) + (key.B * qb.C) + (key.C * qc.C) + (key.D * qd.C);
                s3 += (key.A * qa.D) + (key.B * qb.D) + (key.C * qc.D) + (key.D * qd.D);
            }

            scores[unit] = new Four<float>
            {
                A = Visible(slots, quad * 4, position, s0, a.SoftCap),
                B = Visible(slots, (quad * 4) + 1, position, s1, a.SoftCap),
                C = Visible(slots, (quad * 4) + 2, position, s2, a.SoftCap),
                D = Visible(slots, (quad * 4) + 3, position, s3, a.SoftCap),
            };
        }
    }

    private static float Visible(SlotMemory slots, int slot, int position, float score, float softCap)
    {
        if (position < slots.First[slot] || position >= slots.End[slot]) return Nothing;
        return softCap > 0 ? softCap * Tanh(score / softCap) : score;
    }

    /// <summary>tanh within 2e-7 of its value: a series near 0, where the formula with the exponential cancels.</summary>
    private static float Tanh(float x)
    {
        float magnitude = MathF.Abs(x);
        if (magnitude < 0.25f)
        {
            float t = x * x;
            return x + (x * t * (-0.33333333f + (t * (0.13333333f + (t * (-0.053968254f + (t * 0.021869488f)))))));
        }

        float result = 1 - (2 / (MathF.Exp(2 * magnitude) + 1));
        return x < 0 ? -result : result;
    }

    private static void PartialMaxima(int quads, ArrayView<float> scores, SlotMemory slots, int count)
    {
        for (int unit = Group.IdxX; unit < quads * 4 * LanesPerSlot; unit += Group.DimX)
        {
            int slot = unit / LanesPerSlot;
            float max = Nothing;
            for (int token = unit % LanesPerSlot; token < count; token += LanesPerSlot)
            {
                float score = scores[ScorePlace(slot, token)];
                if (score > max) max = score;
            }

            slots.PartialMax[unit] = max;
        }
    }

    /// <summary>Turns scores into weights relative to the largest score so far. The maximum before is still read while the new one is written: hence two of them.</summary>
    private static void Weigh(int quads, ArrayView<float> scores, SlotMemory slots, int count, int parity)
    {
        for (int unit = Group.IdxX; unit < quads * 4 * LanesPerSlot; unit += Group.DimX)
        {
            int slot = unit / LanesPerSlot;
            int lane = unit % LanesPerSlot;
            float before = slots.Max[(parity * MaxSlots) + slot];
            float max = before;
            for (int i = 0; i < LanesPerSlot; i++)
            {
                float part = slots.PartialMax[(slot * LanesPerSlot) + i];
                if (part > max) max = part;
            }

            float rescale = before == max ? 1 : MathF.Exp(before - max);
            float sum = slots.PartialSum[unit] * rescale;
            for (int token = lane; token < count; token += LanesPerSlot)
            {
                float score = scores[ScorePlace(slot, token)];
                float weight = score == Nothing ? 0 : MathF.Exp(score - max);
                scores[ScorePlace(slot, token)] = weight;
                sum += weight;
            }

            slots.PartialSum[unit] = sum;
            if (lane == 0)
            {
                slots.Max[((1 - parity) * MaxSlots) + slot] = max;
                slots.Rescale.Cast<float>()[slot] = rescale;
            }
        }
    }

    private static int ScorePlace(int slot, int token) => ((((slot >> 2) * Positions) + token) * 4) + (slot & 3);

    private static void AddValues<TKeys, TValues>(
        Arguments<TKeys, TValues> a, ArrayView<Four<float>> sums, ArrayView<Four<float>> weights, ArrayView<int> pages, SlotMemory slots, int sequence, int kvHead, int start, int count, int padded, int teams)
        where TKeys : struct, IGpuCacheSide
        where TValues : struct, IGpuCacheSide
    {
        int vectors = padded >> 2;
        for (int unit = Group.IdxX; unit < teams * a.Quads * vectors; unit += Group.DimX)
        {
            int vector = unit % vectors;
            int quad = unit / vectors % a.Quads;
            int team = unit / (vectors * a.Quads);
            var sum = sums.SubView(unit * 4, 4);
            var rescale = slots.Rescale[quad];
            var sa = Times(sum[0], rescale);
            var sb = Times(sum[1], rescale);
            var sc = Times(sum[2], rescale);
            var sd = Times(sum[3], rescale);
            for (int token = team; token < count; token += teams)
            {
                int position = start + token;
                var value = a.Values.Load(a.Values.Row(sequence, pages[token], position, kvHead), position, vector * 4);
                var weight = weights[(quad * Positions) + token];
                sa = Plus(sa, weight, value.A);
                sb = Plus(sb, weight, value.B);
                sc = Plus(sc, weight, value.C);
                sd = Plus(sd, weight, value.D);
            }

            sum[0] = sa;
            sum[1] = sb;
            sum[2] = sc;
            sum[3] = sd;
        }
    }

    private static Four<float> Times(Four<float> x, Four<float> y) => new() { A = x.A * y.A, B = x.B * y.B, C = x.C * y.C, D = x.D * y.D };

    private static Four<float> Plus(Four<float> sum, Four<float> x, float factor) =>
        new() { A = sum.A + (x.A * factor), B = sum.B + (x.B * factor), C = sum.C + (x.C * factor), D = sum.D + (x.D * factor) };

    private static void Store<TKeys, TValues>(
        Arguments<TKeys, TValues> a, ArrayView<float> sums, SlotMemory slots, int row, int runEnd, int head, int heads, int padded, int teams, int parity)
        where TKeys : struct, IGpuCacheSide
        where TValues : struct, IGpuCacheSide
    {
        int size = a.Values.Size;
        for (int i = Group.IdxX; i < a.Quads * 4 * size; i += Group.DimX)
        {
            int slot = i / size;
            int d = i - (slot * size);
            int slotRow = (Grid.IdxX * a.RowsPerTile) + (slot / a.HeadsPerTile);
            int slotHead = slot % a.HeadsPerTile;
            if (slotHead >= heads || slotRow < row || slotRow >= runEnd) continue;

            float value = 0;
            for (int team = 0; team < teams; team++) value += sums[((((team * a.Quads) + (slot >> 2)) * padded) + d) * 4 + (slot & 3)];
            float total = 0;
            for (int lane = 0; lane < LanesPerSlot; lane++) total += slots.PartialSum[(slot * LanesPerSlot) + lane];
            long item = ((long)slotRow * a.Heads) + head + slotHead;
            if (a.Splits == 1)
            {
                a.Output[(item * size) + d] = total == 0 ? 0 : value / total;
                continue;
            }

            var part = a.Parts.SubView(((item * a.Splits) + Grid.IdxZ) * AttentionCombine.PartLength(size), AttentionCombine.PartLength(size));
            part[AttentionCombine.ValuesPlace + d] = value;
            if (d == 0)
            {
                part[AttentionCombine.MaxPlace] = slots.Max[(parity * MaxSlots) + slot];
                part[AttentionCombine.SumPlace] = total;
            }
        }
    }

    internal struct Arguments<TKeys, TValues>
        where TKeys : struct, IGpuCacheSide
        where TValues : struct, IGpuCacheSide
    {
        public TKeys Keys;
        public TValues Values;
        public ArrayView<int> PageTable;
        public ArrayView<int> Sequences;
        public ArrayView<int> First;
        public ArrayView<int> End;
        public ArrayView<float> Query;
        public ArrayView<float> Output;
        public ArrayView<float> Parts;
        public int PagesPerSequence;
        public int Rows;
        public int Heads;
        public int HeadsPerKvHead;
        public int HasFirst;
        public int Quads;
        public int HeadsPerTile;
        public int RowsPerTile;
        public int HeadTiles;
        public int Splits;
        public float Scale;
        public float SoftCap;
    }

    /// <summary>What is known about each slot.</summary>
    private struct SlotMemory
    {
        public ArrayView<float> PartialMax;
        public ArrayView<float> PartialSum;
        public ArrayView<float> Max;
        public ArrayView<Four<float>> Rescale;
        public ArrayView<int> First;
        public ArrayView<int> End;
    }
}
