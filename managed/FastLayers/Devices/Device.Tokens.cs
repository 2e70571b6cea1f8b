using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Pruning;

namespace FastLayers;

/// <content>Operations that pool, measure, rank, drop and merge tokens: each checks its operands and hands them to the device.</content>
public abstract partial class Device
{
    /// <summary>
    /// Pools each sequence of a padded batch to one row: <c>output[b] = mean, first, last or maximum of input[b, t] over t &lt; lengths[b]</c>.
    /// Padding is not read, so that a sequence gives the same bits alone and in a batch.
    /// </summary>
    /// <param name="kind">How.</param>
    /// <param name="input">Rows [batch · frames, columns], F32: sequence b starts at row b · frames.</param>
    /// <param name="lengths">Valid rows of each sequence, 1 to <paramref name="frames"/>; as many as there are sequences.</param>
    /// <param name="frames">Rows of a sequence with its padding.</param>
    /// <param name="output">Receives [batch, columns], F32; apart from the input.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">An operand does not fit, the output overlaps the input, or a sequence has no or too many rows.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or the pooling is not defined.</exception>
    /// <exception cref="ObjectDisposedException">An operand is disposed.</exception>
    public void Pool(PoolingKind kind, Tensor input, ReadOnlySpan<int> lengths, int frames, Tensor output, int columns)
    {
        using var timer = Timed();
        RequireCount(frames, nameof(frames), nameof(Pool));
        RequireCount(columns, nameof(columns), nameof(Pool));
        RequireDefined(kind, nameof(Pool));
        RequireFloats(input, nameof(input), (long)lengths.Length * frames, columns);
        RequireFloats(output, nameof(output), lengths.Length, columns);
        RequireLengths(lengths, frames, nameof(Pool));
        RequireApart(output, lengths.Length, columns, input, (long)lengths.Length * frames, columns);
        if (IsWork(lengths.Length, columns)) PoolSequencesCore(kind, input, lengths, frames, output, columns);
    }

    /// <summary>
    /// Attentive statistics pooling (Okabe et al., arXiv:1803.10963; as in L-TDNN, arXiv:2409.07770) of a padded batch, column by column: with
    /// <c>α = softmax of the scores over the valid frames</c>, <c>output[b] = [Σ α·x ; √max(Σ α·(x - mean)², varianceFloor)]</c>. The squares are
    /// taken around the mean, so that features far from 0 do not cancel. A score of -∞ masks a frame; frames behind the length are not read.
    /// </summary>
    /// <param name="input">Features [batch · frames, columns], F32: sequence b starts at row b · frames.</param>
    /// <param name="scores">
    /// Attention scores, F32: [batch · frames, columns], or [batch · frames, 1] for one score a frame; null where all frames count the same, which
    /// gives the mean and the population standard deviation.
    /// </param>
    /// <param name="lengths">Valid frames of each sequence, 1 to <paramref name="frames"/>; as many as there are sequences.</param>
    /// <param name="frames">Frames of a sequence with its padding.</param>
    /// <param name="varianceFloor">Least variance, in squared units of the features; see <see cref="StatisticsPooling.DefaultVarianceFloor"/>.</param>
    /// <param name="output">Receives [batch, 2 · columns], F32: the means of a sequence, then its deviations; apart from the inputs.</param>
    /// <param name="columns">Values a frame.</param>
    /// <exception cref="ArgumentException">An operand does not fit, the output overlaps an input, or a sequence has no or too many frames.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or the floor is not positive.</exception>
    /// <exception cref="ObjectDisposedException">An operand is disposed.</exception>
    public void PoolStatistics(Tensor input, Tensor? scores, ReadOnlySpan<int> lengths, int frames, float varianceFloor, Tensor output, int columns)
    {
        using var timer = Timed();
        RequireCount(frames, nameof(frames), nameof(PoolStatistics));
        RequireCount(columns, nameof(columns), nameof(PoolStatistics));
        if (!(varianceFloor > 0)) throw new ArgumentOutOfRangeException(nameof(varianceFloor), varianceFloor, "PoolStatistics: the least variance must be positive.");
        long rows = (long)lengths.Length * frames;
        RequireFloats(input, nameof(input), rows, columns);
        RequireFloats(output, nameof(output), lengths.Length, 2L * columns);
        RequireLengths(lengths, frames, nameof(PoolStatistics));
        RequireApart(output, lengths.Length, 2L * columns, input, rows, columns);
        if (scores is not null)
        {
            int scoreColumns = scores.Columns == 1 ? 1 : columns;
            RequireFloats(scores, nameof(scores), rows, scoreColumns);
            if (scores.Columns != scoreColumns) throw new ArgumentException($"PoolStatistics: scores is {scores}, needed is f32 [{rows}, {columns}] or [{rows}, 1].", nameof(scores));
            RequireApart(output, lengths.Length, 2L * columns, scores, rows, scoreColumns);
        }

        if (IsWork(lengths.Length, columns)) PoolStatisticsCore(input, scores, lengths, frames, varianceFloor, output, columns);
    }

    /// <summary>
    /// How much attention each position gets, by which tokens are dropped (PyramidDrop, arXiv:2410.17247; VisionZip, arXiv:2412.04467; DUET-VLM,
    /// arXiv:2602.18846): <c>scores[i] = mean over rows and heads of softmax(scale · q·Kᵀ + mask)[i]</c>, the column means of the matrix that
    /// <see cref="Attend"/> multiplies the values with, windows and soft caps included. The matrix is never stored. The scores sum to 1 if every
    /// row sees something; positions that no row sees get 0.
    /// </summary>
    /// <param name="layer">The cache that holds the keys.</param>
    /// <param name="batch">The rows that attend, at least one, all of one sequence.</param>
    /// <param name="options">How they attend.</param>
    /// <param name="query">Queries [rows, heads · key size], F32, rotated already.</param>
    /// <param name="scores">Receives [1, tokens], F32.</param>
    /// <param name="tokens">Positions from 0 on that get a score, at least all that a row sees.</param>
    /// <exception cref="ArgumentException">
    /// An operand does not fit, there is no row, rows are of different sequences, a row sees positions without a page or behind the tokens, the
    /// heads do not share evenly, or the scores overlap an input.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">A count or position is negative.</exception>
    /// <exception cref="ObjectDisposedException">An operand is disposed.</exception>
    public void AttentionColumnSums(KvLayer layer, in BatchRows batch, in AttentionOptions options, Tensor query, Tensor scores, int tokens)
    {
        using var timer = Timed();
        RequireCache(layer, nameof(AttentionColumnSums));
        RequireCount(tokens, nameof(tokens), nameof(AttentionColumnSums));
        RequireBatch(batch, layer, attends: true, options.Windowed, nameof(AttentionColumnSums));
        RequireHeads(options, layer, nameof(AttentionColumnSums));
        if (batch.Count == 0) throw new ArgumentException("AttentionColumnSums: there are no rows that attend.", nameof(batch));
        for (int row = 0; row < batch.Count; row++)
        {
            if (batch.Sequences[row] != batch.Sequences[0])
                throw new ArgumentException($"AttentionColumnSums: row {row} is of sequence {batch.Sequences[row]}, row 0 of sequence {batch.Sequences[0]}; needed is one sequence.", nameof(batch));
            if (batch.End[row] > tokens)
                throw new ArgumentException($"AttentionColumnSums: row {row} sees positions up to {batch.End[row] - 1}, scores are for 0 to {tokens - 1}.", nameof(batch));
        }

        long width = (long)options.Heads * layer.Keys.Columns;
        RequireFloats(query, nameof(query), batch.Count, width);
        RequireFloats(scores, nameof(scores), 1, tokens);
        RequireApart(scores, 1, tokens, query, batch.Count, width);
        if (tokens > 0) AttentionColumnSumsCore(layer, batch, options, query, scores, tokens);
    }

    /// <summary>
    /// Which tokens to keep, as DUET-VLM (arXiv:2602.18846) drops them: of each row the <paramref name="kept"/> largest scores (of equal ones the
    /// lower index), in rising order of their indices. Results are [rows, kept] on the host.
    /// </summary>
    /// <param name="scores">Scores [rows, columns], F32. NaN is never chosen.</param>
    /// <param name="rows">Number of rows, each ranked by itself.</param>
    /// <param name="columns">Tokens a row.</param>
    /// <param name="kept">Tokens to keep of each row, 0 to <paramref name="columns"/>.</param>
    /// <param name="indices">Receives rows · kept indices; -1 at the end of a row with too few numbers.</param>
    /// <exception cref="ArgumentException">An operand does not fit, or the results have another length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or more tokens should stay than there are.</exception>
    /// <exception cref="ObjectDisposedException">An operand is disposed.</exception>
    public void KeepTopK(Tensor scores, int rows, int columns, int kept, Span<int> indices)
    {
        using var timer = Timed();
        RequireShape(rows, columns, nameof(KeepTopK));
        RequireFloats(scores, nameof(scores), rows, columns);
        if (kept < 0 || kept > columns) throw new ArgumentOutOfRangeException(nameof(kept), kept, $"KeepTopK: of {columns} tokens {kept} cannot be kept.");
        RequireLength(indices.Length, (long)rows * kept, nameof(indices), nameof(KeepTopK));
        if (IsWork(rows, kept)) KeepTopKCore(scores, rows, columns, kept, indices);
    }

    /// <summary>
    /// The anchor that each token is merged into, by cosine, as VisionZip (arXiv:2412.04467) and DUET-VLM (arXiv:2602.18846) merge tokens by their
    /// keys: <c>groups[m] = argmax over a of κ_m·κ_a / (|κ_m| |κ_a|)</c>, of equal ones the lower index; a vector of length 0 has the cosine 0 to
    /// all. Results are on the host.
    /// </summary>
    /// <param name="members">Vectors [members, columns], F32, finite.</param>
    /// <param name="memberCount">Number of members.</param>
    /// <param name="anchors">Vectors [anchors, columns], F32, finite.</param>
    /// <param name="anchorCount">Number of anchors, at least one if there are members.</param>
    /// <param name="columns">Values a vector.</param>
    /// <param name="groups">Receives the anchor of each member.</param>
    /// <param name="cosines">Receives its cosine, -1 to 1.</param>
    /// <exception cref="ArgumentException">An operand does not fit, results have another length, or there are members but no anchor.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or there are members without values.</exception>
    /// <exception cref="ObjectDisposedException">An operand is disposed.</exception>
    public void AssignToAnchors(Tensor members, int memberCount, Tensor anchors, int anchorCount, int columns, Span<int> groups, Span<float> cosines)
    {
        using var timer = Timed();
        RequireCount(memberCount, nameof(memberCount), nameof(AssignToAnchors));
        RequireCount(anchorCount, nameof(anchorCount), nameof(AssignToAnchors));
        RequireCount(columns, nameof(columns), nameof(AssignToAnchors));
        RequireFloats(members, nameof(members), memberCount, columns);
        RequireFloats(anchors, nameof(anchors), anchorCount, columns);
        RequireLength(groups.Length, memberCount, nameof(groups), nameof(AssignToAnchors));
        RequireLength(cosines.Length, memberCount, nameof(cosines), nameof(AssignToAnchors));
        if (memberCount == 0) return;
        if (anchorCount == 0) throw new ArgumentException($"AssignToAnchors: {memberCount} members have no anchor.", nameof(anchorCount));
        if (columns == 0) throw new ArgumentOutOfRangeException(nameof(columns), columns, $"AssignToAnchors: {memberCount} members have no values.");
        AssignToAnchorsCore(members, memberCount, anchors, anchorCount, columns, groups, cosines);
    }

    /// <summary>
    /// Merges tokens into the anchors of their groups (the contextual tokens of VisionZip, arXiv:2412.04467, and DUET-VLM, arXiv:2602.18846):
    /// <c>output[a] = h_a + mean of the members</c>, or <c>(h_a + Σ members) / (1 + number)</c>, see <see cref="MergeMode"/>. An anchor without
    /// members stays as it is.
    /// </summary>
    /// <param name="mode">How.</param>
    /// <param name="anchors">Rows [anchors, columns], F32.</param>
    /// <param name="anchorCount">Number of anchors.</param>
    /// <param name="members">Rows [members, columns], F32.</param>
    /// <param name="groups">The anchor of each member, as <see cref="AssignToAnchors"/> gives it; as many as there are members.</param>
    /// <param name="output">Receives [anchors, columns], F32; apart from the inputs.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">An operand does not fit, or the output overlaps an input.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, a group is no anchor, or the mode is not defined.</exception>
    /// <exception cref="ObjectDisposedException">An operand is disposed.</exception>
    public void SegmentMean(MergeMode mode, Tensor anchors, int anchorCount, Tensor members, ReadOnlySpan<int> groups, Tensor output, int columns)
    {
        using var timer = Timed();
        RequireCount(anchorCount, nameof(anchorCount), nameof(SegmentMean));
        RequireCount(columns, nameof(columns), nameof(SegmentMean));
        RequireDefined(mode, nameof(SegmentMean));
        RequireFloats(anchors, nameof(anchors), anchorCount, columns);
        RequireFloats(members, nameof(members), groups.Length, columns);
        RequireFloats(output, nameof(output), anchorCount, columns);
        RequireIndices(groups, anchorCount, nameof(groups));
        RequireApart(output, anchorCount, columns, anchors, anchorCount, columns);
        RequireApart(output, anchorCount, columns, members, groups.Length, columns);
        if (IsWork(anchorCount, columns)) SegmentMeanCore(mode, anchors, anchorCount, members, groups, output, columns);
    }

    /// <summary>
    /// The Euclidean norm of each row, <c>norms[r] = √Σ input[r]²</c>, by whose growth a layer is found to do something or not (Void in Language
    /// Models, arXiv:2505.14467). Within 1e-6 relative error whatever the length of the row; ∞ where squares overflow (values beyond 1e18).
    /// </summary>
    /// <param name="input">Rows [rows, columns], F32.</param>
    /// <param name="norms">Receives [rows, 1], F32; apart from the input.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">An operand does not fit, or the norms overlap the input.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    /// <exception cref="ObjectDisposedException">An operand is disposed.</exception>
    public void RowNorms(Tensor input, Tensor norms, int rows, int columns)
    {
        using var timer = Timed();
        RequireShape(rows, columns, nameof(RowNorms));
        RequireFloats(input, nameof(input), rows, columns);
        RequireFloats(norms, nameof(norms), rows, 1);
        RequireApart(norms, rows, 1, input, rows, columns);
        if (rows > 0) RowNormsCore(input, norms, rows, columns);
    }

    /// <summary>
    /// Residual addition that yields the norms without a second pass: <c>target += source</c>, <c>norms[r] = √Σ target[r]²</c>; the sums are those
    /// of <see cref="Add"/> bit for bit, the norms those of <see cref="RowNorms"/> within rounding.
    /// </summary>
    /// <param name="target">Rows [rows, columns], F32, that are added to.</param>
    /// <param name="source">Rows [rows, columns], F32, that are added.</param>
    /// <param name="norms">Receives [rows, 1], F32; apart from the rows.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">An operand does not fit, or the norms overlap the rows.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    /// <exception cref="ObjectDisposedException">An operand is disposed.</exception>
    public void AddNorm(Tensor target, Tensor source, Tensor norms, int rows, int columns)
    {
        using var timer = Timed();
        RequireRowPairs(target, source, norms, rows, columns);
        if (rows > 0) AddNormCore(target, source, norms, rows, columns);
    }

    /// <summary>
    /// How much each row changed, <c>changes[r] = √Σ (after[r] - before[r])² / √Σ before[r]²</c>: 0 if nothing did, ∞ if a row of zeros did.
    /// Within 1e-6 relative error.
    /// </summary>
    /// <param name="before">Rows [rows, columns], F32.</param>
    /// <param name="after">Rows [rows, columns], F32.</param>
    /// <param name="changes">Receives [rows, 1], F32; apart from the rows.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">An operand does not fit, or the changes overlap the rows.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    /// <exception cref="ObjectDisposedException">An operand is disposed.</exception>
    public void RelativeChange(Tensor before, Tensor after, Tensor changes, int rows, int columns)
    {
        using var timer = Timed();
        RequireRowPairs(before, after, changes, rows, columns);
        if (rows > 0) RelativeChangeCore(before, after, changes, rows, columns);
    }
}
