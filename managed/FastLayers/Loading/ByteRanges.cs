namespace FastLayers.Loading;

/// <summary>The bytes that the tensors of one file claim: inside the file, and each byte claimed once.</summary>
internal sealed class ByteRanges(string file, string section, long sectionBytes)
{
    private readonly List<(long Start, long End, string Name)> _ranges = [];

    /// <summary>Claims bytes for a tensor.</summary>
    /// <exception cref="InvalidDataException">They do not lie inside the section.</exception>
    public void Add(string name, ulong start, UInt128 byteLength)
    {
        if (start + byteLength > (ulong)sectionBytes)
            throw Refusal.Of(file, $"{Refusal.Tensor(name)} bytes", $"an end within the {sectionBytes} bytes of the {section}", $"{start} + {byteLength}");
        _ranges.Add(((long)start, (long)(start + byteLength), name));
    }

    /// <summary>Refuses bytes that two tensors claim.</summary>
    public void CheckDisjoint()
    {
        Sort();
        for (var index = 1; index < _ranges.Count; index++)
        {
            if (_ranges[index].Start < _ranges[index - 1].End) throw Overlap(index);
        }
    }

    /// <summary>Refuses bytes that two tensors or none claim.</summary>
    public void CheckTiled()
    {
        Sort();
        long end = 0;
        for (var index = 0; index < _ranges.Count; index++)
        {
            if (_ranges[index].Start < end) throw Overlap(index);
            if (_ranges[index].Start > end)
                throw Refusal.Of(file, $"{Refusal.Tensor(_ranges[index].Name)} bytes", $"a start at {end}, where the tensor before ends", $"{_ranges[index].Start}");
            end = _ranges[index].End;
        }
        if (end != sectionBytes) throw Refusal.Of(file, section, $"{end} bytes, the end of the last tensor", $"{sectionBytes}");
    }

    private void Sort() => _ranges.Sort((a, b) => (a.Start, a.End).CompareTo((b.Start, b.End)));

    private InvalidDataException Overlap(int index)
    {
        var (before, tensor) = (_ranges[index - 1], _ranges[index]);
        return Refusal.Of(file, $"{Refusal.Tensor(tensor.Name)} bytes", $"a start at or after {before.End}, the end of {Refusal.Tensor(before.Name)}", $"{tensor.Start}");
    }
}
