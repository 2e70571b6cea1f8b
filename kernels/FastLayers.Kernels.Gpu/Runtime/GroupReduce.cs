using ILGPU;

namespace FastLayers.Kernels.Gpu;

/// <summary>Sums and maxima over the threads of a group, whose size is a power of two, through shared memory.</summary>
internal static class GroupReduce
{
    /// <summary>The sum of <paramref name="value"/> over the group, in every thread and always in the same order.</summary>
    public static float Sum(ArrayView<float> shared, float value)
    {
        shared[Group.IdxX] = value;
        Group.Barrier();
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half) shared[Group.IdxX] += shared[Group.IdxX + half];
            Group.Barrier();
        }

        float sum = shared[0];
        Group.Barrier();
        return sum;
    }

    /// <summary>The largest <paramref name="value"/> of the group, in every thread; NaN is passed over.</summary>
    public static float Max(ArrayView<float> shared, float value)
    {
        shared[Group.IdxX] = value;
        Group.Barrier();
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half && shared[Group.IdxX + half] > shared[Group.IdxX]) shared[Group.IdxX] = shared[Group.IdxX + half];
            Group.Barrier();
        }

        float max = shared[0];
        Group.Barrier();
        return max;
    }
}
