using ILGPU;

namespace FastLayers.Kernels.Gpu.Selection;

/// <summary>The order of candidates: the larger value first, of equal ones the lower index. No candidate has the index <see cref="None"/>.</summary>
internal static class SelectionOrder
{
    /// <summary>The index where there is no candidate.</summary>
    public const int None = -1;

    /// <summary>The key of NaN, below that of every number.</summary>
    public const int NotANumber = int.MinValue;

    /// <summary>One above the key of ∞.</summary>
    public const int KeyEnd = 0x7F800001;

    /// <summary>Whether the first candidate comes before the second.</summary>
    public static bool IsBefore(float value, int index, float otherValue, int otherIndex)
    {
        if (index < 0) return false;
        if (otherIndex < 0) return true;
        return value > otherValue || (value == otherValue && index < otherIndex);
    }

    /// <summary>An integer that rises with the value: equal for -0 and 0, <see cref="NotANumber"/> for NaN.</summary>
    public static int Key(float value)
    {
        if (float.IsNaN(value)) return NotANumber;
        if (value == 0) return 0;
        int bits = (int)Interop.FloatAsInt(value);
        return bits >= 0 ? bits : bits ^ 0x7FFFFFFF;
    }

    /// <summary>The sum of <paramref name="value"/> over the group, in every thread.</summary>
    public static int Sum(ArrayView<int> shared, int value)
    {
        shared[Group.IdxX] = value;
        Group.Barrier();
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half) shared[Group.IdxX] += shared[Group.IdxX + half];
            Group.Barrier();
        }

        int sum = shared[0];
        Group.Barrier();
        return sum;
    }
}
