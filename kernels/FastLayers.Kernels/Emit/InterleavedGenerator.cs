using System.Numerics;
using System.Runtime.InteropServices;
using FastLayers.Kernels.MatMul;
using Iced.Intel;
using static FastLayers.Kernels.Emit.VectorAssembler;
using static Iced.Intel.AssemblerRegisters;

namespace FastLayers.Kernels.Emit;

/// <summary>What an emitted product is called with.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EmittedCall
{
    /// <summary>The tiles; a kernel of one tile reads the first.</summary>
    public byte* Tile0, Tile1, Tile2, Tile3;

    /// <summary>Bytes from a tile's start to its scales.</summary>
    public long CodeBytes;

    /// <summary>Codes of the activations of a chunk, and what belongs to them.</summary>
    public sbyte* Activations;
    public InterleavedActivations.BlockParts* Parts;

    /// <summary>Receives a sum a tile's row, [rows of the chunk, tiles, 8]; zero before the first block.</summary>
    public float* Sums;

    /// <summary>Bytes of the sums.</summary>
    public long SumBytes;

    /// <summary>Blocks of 32 columns, at least 1.</summary>
    public long Blocks;
}

/// <summary>
/// Emits the product of interleaved tiles with rounded activations, <c>void kernel(EmittedCall*)</c>: what
/// <see cref="InterleavedProduct{TCodes, TScales}"/> computes, with instructions that .NET does not expose. A wide vector holds two tiles, and a
/// kernel for them multiplies four at once. 32 columns are unpacked into registers, which serve all rows of a chunk; a <c>vpdpbusd</c> multiplies
/// sixteen weight rows with four activations. Signed codes become unsigned by adding 128, and what that or another offset adds is preloaded,
/// negative, into the accumulators: −offset · Σx, so that integers stay exact. With one row and tiles from four places it is the kernel for
/// decoding. Bound: reading the weights, or two <c>vpdpbusd</c> a cycle.
/// </summary>
internal sealed class InterleavedGenerator
{
    private const int PrefetchBytes = 1024;
    private const int TileBytesOfSums = InterleavedLayout.TileRows * sizeof(float);

    /// <summary>Registers of the callee that Windows wants back: 6 to 15, a quarter each.</summary>
    private const int FirstSaved = 6;
    private const int SavedCount = 10;

    // What general registers hold, alike for both calling conventions: all that any of them wants back are saved.
    private static readonly AssemblerRegister64[] s_tiles = [rax, rbx, rcx, rdx];
    private static readonly AssemblerRegister64[] s_saved = [rbx, rbp, rsi, rdi, r12, r13, r14, r15];
    private static readonly AssemblerRegister64 s_code = r8, s_unit = r9, s_integers = r10, s_partsLeft = r11, s_activations = r12, s_parts = r13, s_sums = r14, s_lastSum = r15, s_blocks = rbp, s_sum = rsi;

    private readonly InterleavedStorage _storage;
    private readonly VectorAssembler _vectors;
    private readonly Assembler _general;
    private readonly bool _hasVnni;
    private readonly bool _isWindows;
    private readonly int _panels;
    private readonly int _offset;
    private readonly sbyte[]? _levels;

    // Numbers of vector registers.
    private readonly int _weights, _sumsOfGroups, _temporary, _other, _scales, _minimums;

    private InterleavedGenerator(InterleavedStorage storage, EmittedIsa isa, bool isWindows)
    {
        _storage = storage;
        bool isWide = isa == EmittedIsa.Avx512Vnni;
        _vectors = new VectorAssembler(isWide);
        _general = _vectors.General;
        _hasVnni = isa != EmittedIsa.Avx2;
        _isWindows = isWindows;
        _panels = isWide ? 2 : 1;
        bool isMadeUnsigned = _hasVnni && storage.Codes.IsSigned;
        _offset = isMadeUnsigned ? 128 : storage.Codes.Offset;
        _levels = isMadeUnsigned ? storage.Codes.Levels?.Select(level => (sbyte)(level + 128)).ToArray() : storage.Codes.Levels;
        int groups = storage.Scales.Groups;
        _weights = 0;
        _sumsOfGroups = 8 * _panels;
        _temporary = _sumsOfGroups + (groups * _panels);
        _other = _temporary + 1;
        _scales = _other + 1;
        _minimums = _scales + (groups * _panels);
    }

    /// <summary>Emits a kernel.</summary>
    /// <param name="storage">The layout.</param>
    /// <param name="isa">Instructions to use.</param>
    /// <param name="isWindows">Which calling convention.</param>
    public static EmittedBytes Generate(InterleavedStorage storage, EmittedIsa isa, bool isWindows)
    {
        var generator = new InterleavedGenerator(storage, isa, isWindows);
        generator.Kernel();
        return generator._vectors.Assemble();
    }

    /// <summary>Tiles that a kernel multiplies at once.</summary>
    public static int Tiles(EmittedIsa isa) => isa == EmittedIsa.Avx512Vnni ? 4 : 1;

    private int TileCount => _panels * _vectors.VectorBytes / TileBytesOfSums;

    private bool HasIntegers => _storage.Scales.Integers != 0;

    private int Groups => _storage.Scales.Groups;

    private void Kernel()
    {
        Enter();
        var block = _general.CreateLabel();
        var sameUnit = _general.CreateLabel();
        _general.Label(ref block);
        for (int tile = 0; tile < TileCount; tile++)
        {
            for (int i = 0; i < _storage.Codes.Bytes; i += 64) _vectors.Prefetch(At(s_tiles[tile], s_code, PrefetchBytes + i));
        }

        for (int panel = 0; panel < _panels; panel++) LoadScales(panel);
        for (int panel = 0; panel < _panels; panel++) Unpack(panel);
        _general.add(s_code, _storage.Codes.Bytes);
        if (_storage.Scales.Columns == QuantizedActivations.BlockLength)
        {
            _general.add(s_unit, _storage.Scales.Bytes);
        }
        else
        {
            if (HasIntegers) _general.add(s_integers, 8 * Groups);
            _general.dec(s_partsLeft);
            _general.jnz(sameUnit);
            _general.add(s_unit, _storage.Scales.Bytes);
            StartUnit();
            _general.Label(ref sameUnit);
        }

        Rows();
        _general.dec(s_blocks);
        _general.jnz(block);
        Leave();
    }

    private void Enter()
    {
        foreach (var register in s_saved) _general.push(register);
        if (_isWindows)
        {
            _general.sub(rsp, 16 * SavedCount);
            for (int i = 0; i < SavedCount; i++) _vectors.Save(At(rsp, 16 * i), FirstSaved + i);
            _general.mov(rdi, rcx);
        }

        for (int tile = 0; tile < TileCount; tile++) _general.mov(s_tiles[tile], __qword_ptr[rdi + (8 * tile)]);
        _general.xor(s_code, s_code);
        Argument(s_unit, nameof(EmittedCall.CodeBytes));
        Argument(s_activations, nameof(EmittedCall.Activations));
        Argument(s_parts, nameof(EmittedCall.Parts));
        Argument(s_sums, nameof(EmittedCall.Sums));
        Argument(s_lastSum, nameof(EmittedCall.SumBytes));
        _general.add(s_lastSum, s_sums);
        Argument(s_blocks, nameof(EmittedCall.Blocks));
        if (_storage.Scales.Columns != QuantizedActivations.BlockLength) StartUnit();
    }

    private void Argument(AssemblerRegister64 target, string field) => _general.mov(target, __qword_ptr[rdi + (int)Marshal.OffsetOf<EmittedCall>(field)]);

    private void StartUnit()
    {
        if (HasIntegers) _general.mov(s_integers, s_unit);
        _general.mov(s_partsLeft, _storage.Scales.Columns / QuantizedActivations.BlockLength);
    }

    private void Leave()
    {
        // Upper halves that are not zero would slow down code that does not know of them.
        _general.vzeroupper();
        if (_isWindows)
        {
            for (int i = 0; i < SavedCount; i++) _vectors.Restore(FirstSaved + i, At(rsp, 16 * i));
            _general.add(rsp, 16 * SavedCount);
        }

        for (int i = s_saved.Length - 1; i >= 0; i--) _general.pop(s_saved[i]);
        _general.ret();
    }

    /// <summary>Memory of a panel's tiles: the only one, or the first and the second half of a wide vector.</summary>
    private (MemoryOperand Lower, MemoryOperand Upper) Both(int panel, AssemblerRegister64 index, int bytes) =>
        TileCount == 1
            ? (At(s_tiles[0], index, bytes), default)
            : (At(s_tiles[2 * panel], index, bytes), At(s_tiles[(2 * panel) + 1], index, bytes));

    // Weight registers are free while scales are loaded.
    private void LoadScales(int panel)
    {
        var scales = _storage.Scales;
        const int source = 0, factor = 1, bytes = 2, upper = 3;
        int scale = HasIntegers ? source : Scale(0, panel);
        LoadFloats(scale, panel, 0, scales.IsExponent);
        if (scales.HasMinimums) LoadFloats(scales.MinimumIntegers == 0 ? Minimum(0, panel) : factor, panel, 16, false);
        for (int group = 0; group < Groups && HasIntegers; group++)
        {
            bool areTogether = scales.MinimumIntegers == scales.Integers;
            LoadBytes(bytes, panel, scales.Integers + (8 * group));
            if (areTogether)
            {
                _vectors.ShiftWordsRight(upper, bytes, 4);
                _vectors.And(upper, upper, _vectors.Constant((byte)15));
                _vectors.And(bytes, bytes, _vectors.Constant((byte)15));
            }
            else if (scales.MinimumIntegers != 0)
            {
                LoadBytes(upper, panel, scales.MinimumIntegers + (8 * group));
            }

            Scaled(Scale(group, panel), bytes, scale);
            if (scales.MinimumIntegers != 0) Scaled(Minimum(group, panel), upper, factor);
        }
    }

    private void LoadBytes(int target, int panel, int bytes)
    {
        var (first, second) = Both(panel, s_integers, bytes);
        _vectors.LoadEighths(target, first, second);
    }

    private void LoadFloats(int target, int panel, int bytes, bool areExponents)
    {
        const int raw = 4;
        var (first, second) = Both(panel, s_unit, bytes);
        _vectors.LoadQuarters(raw, first, second);
        if (!areExponents)
        {
            _vectors.HalvesToFloats(target, raw);
            return;
        }

        // 2^(exponent − 127), and half of it.
        _vectors.WidenWords(target, raw);
        _vectors.ShiftIntegersLeft(target, target, 23);
        _vectors.Multiply(target, target, _vectors.Constant(BitConverter.GetBytes(0.5f)));
    }

    private void Scaled(int target, int bytes, int factor)
    {
        _vectors.WidenBytes(target, bytes);
        _vectors.IntegersToFloats(target, target);
        _vectors.Multiply(target, target, factor);
    }

    private void Unpack(int panel)
    {
        var codes = _storage.Codes;
        foreach (var plane in codes.Planes)
        {
            foreach (var vectors in Enumerable.Range(0, 8).GroupBy(plane.Source))
            {
                bool isWhole = plane.Bits == 8;
                int raw = isWhole ? Weight(panel, vectors.First()) : _temporary;
                var (first, second) = Both(panel, s_code, vectors.Key);
                _vectors.LoadHalves(raw, first, second);
                foreach (int vector in vectors.Where(_ => !isWhole))
                {
                    bool isFirst = plane == codes.Planes[0];
                    int target = isFirst ? Weight(panel, vector) : _other;
                    int shift = plane.Shift(vector) - plane.Place;
                    if (shift > 0) _vectors.ShiftWordsRight(target, raw, shift);
                    if (shift < 0) _vectors.ShiftWordsLeft(target, raw, -shift);
                    _vectors.And(target, shift == 0 ? raw : target, _vectors.Constant(plane.Mask));
                    if (!isFirst) _vectors.Or(Weight(panel, vector), Weight(panel, vector), target);
                }
            }
        }

        if (_levels is not null)
        {
            _vectors.Load(_temporary, _vectors.Constant(MemoryMarshal.AsBytes<sbyte>(_levels)));
            for (int vector = 0; vector < 8; vector++) _vectors.Shuffle(Weight(panel, vector), _temporary, Weight(panel, vector));
        }
        else if (codes.IsSigned && _hasVnni)
        {
            for (int vector = 0; vector < 8; vector++) _vectors.Xor(Weight(panel, vector), Weight(panel, vector), _vectors.Constant((byte)0x80));
        }
    }

    /// <summary>Adds the products of the 32 columns to the sums of all rows.</summary>
    private void Rows()
    {
        var row = _general.CreateLabel();
        _general.mov(s_sum, s_sums);
        _general.Label(ref row);
        for (int group = 0; group < Groups; group++)
        {
            Products(group);
            _vectors.BroadcastFloat(_temporary, Part(nameof(InterleavedActivations.BlockParts.Scale)));
            for (int panel = 0; panel < _panels; panel++)
            {
                int sum = Sum(group, panel);
                _vectors.IntegersToFloats(sum, sum);
                _vectors.Multiply(_other, _temporary, Scale(group, panel));
                if (group == 0) _vectors.MultiplyAdd(sum, _other, At(s_sum, panel * _vectors.VectorBytes));
                else _vectors.MultiplyAdd(sum, _other, Sum(group - 1, panel));
            }
        }

        for (int group = 0; group < Groups && _storage.Scales.HasMinimums; group++)
        {
            string sumOfActivations = Groups == 1 ? nameof(InterleavedActivations.BlockParts.Sum32) : group == 0 ? nameof(InterleavedActivations.BlockParts.SumLow) : nameof(InterleavedActivations.BlockParts.SumHigh);
            _vectors.BroadcastFloat(_temporary, Part(sumOfActivations));
            for (int panel = 0; panel < _panels; panel++)
            {
                if (_storage.Scales.AddsMinimums) _vectors.AddProduct(Sum(Groups - 1, panel), Minimum(group, panel), _temporary);
                else _vectors.SubtractProduct(Sum(Groups - 1, panel), Minimum(group, panel), _temporary);
            }
        }

        for (int panel = 0; panel < _panels; panel++) _vectors.Store(At(s_sum, panel * _vectors.VectorBytes), Sum(Groups - 1, panel));
        _general.add(s_activations, QuantizedActivations.BlockLength);
        _general.add(s_parts, Marshal.SizeOf<InterleavedActivations.BlockParts>());
        _general.add(s_sum, _panels * _vectors.VectorBytes);
        _general.cmp(s_sum, s_lastSum);
        _general.jb(row);
    }

    /// <summary>The integers of a group: −offset · Σx + Σ code · x.</summary>
    private void Products(int group)
    {
        int length = 8 / Groups;
        int perSum = Math.Min(VectorsPerSum, length);
        for (int panel = 0; panel < _panels; panel++)
        {
            int sum = Sum(group, panel);
            if (_offset == 0)
            {
                _vectors.Xor(sum, sum, sum);
                continue;
            }

            // The sums of the first and of the last 16 activations, 16 bit each.
            short first = (short)(group == 0 ? -_offset : 0);
            short last = (short)(group == Groups - 1 ? -_offset : 0);
            _vectors.BroadcastInteger(sum, Part(nameof(InterleavedActivations.BlockParts.CodeSums)));
            _vectors.MultiplyAddWords(sum, sum, _vectors.Constant((byte)first, (byte)(first >> 8), (byte)last, (byte)(last >> 8)));
        }

        for (int vector = group * length; vector < (group + 1) * length; vector++)
        {
            var activations = At(s_activations, 4 * vector);
            if (_hasVnni)
            {
                _vectors.BroadcastInteger(_temporary, activations);
                for (int panel = 0; panel < _panels; panel++) _vectors.AddByteProducts(Sum(group, panel), Weight(panel, vector), _temporary);
            }
            else
            {
                AddPairs(Sum(group, 0), Weight(0, vector), activations, isFirst: vector % perSum == 0, isLast: vector % perSum == perSum - 1);
            }
        }
    }

    /// <summary>Vectors whose pairs of products can be summed in 16 bit.</summary>
    private int VectorsPerSum => Math.Min(8, 1 << BitOperations.Log2((uint)(short.MaxValue / (2 * 127 * _storage.Codes.Largest))));

    private void AddPairs(int sum, int weight, MemoryOperand activations, bool isFirst, bool isLast)
    {
        int target = isFirst ? _other : _temporary;
        _vectors.BroadcastInteger(_temporary, activations);
        if (_storage.Codes.IsSigned)
        {
            _vectors.ApplySigns(_temporary, _temporary, weight);
            _vectors.AbsoluteBytes(_other, weight);
            weight = _other;
        }

        _vectors.MultiplyAddBytes(target, weight, _temporary);
        if (!isFirst) _vectors.AddWords(_other, _other, target);
        if (!isLast) return;
        _vectors.MultiplyAddWords(_other, _other, _vectors.Constant((short)1));
        _vectors.AddIntegers(sum, sum, _other);
    }

    private static MemoryOperand Part(string field) => At(s_parts, (int)Marshal.OffsetOf<InterleavedActivations.BlockParts>(field));

    private int Weight(int panel, int vector) => _weights + (8 * panel) + vector;

    private int Sum(int group, int panel) => _sumsOfGroups + (group * _panels) + panel;

    private int Scale(int group, int panel) => _scales + (group * _panels) + panel;

    private int Minimum(int group, int panel) => _minimums + (group * _panels) + panel;
}
