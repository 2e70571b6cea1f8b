namespace FastLayers.Kernels.MatMul;

/// <summary>The definition of rounding activations to 8 bit (<see cref="QuantizedActivations"/>): plain loops.</summary>
internal static unsafe class QuantizeReference
{
    /// <summary>Rounds all rows.</summary>
    public static void Rows(ReadOnlySpan<float> values, QuantizedActivations rounded)
    {
        for (int block = 0; block < values.Length / QuantizedActivations.BlockLength; block++)
        {
            int first = block * QuantizedActivations.BlockLength;
            float max = 0;
            for (int i = 0; i < QuantizedActivations.BlockLength; i++) max = Math.Max(max, Math.Abs(values[first + i]));
            float factor = max > 0 && float.IsFinite(127f / max) ? 127f / max : 0f;
            int sumLow = 0;
            int sumHigh = 0;
            for (int i = 0; i < QuantizedActivations.BlockLength; i++)
            {
                int code = (int)MathF.Round(values[first + i] * factor, MidpointRounding.ToEven);
                rounded.Codes[first + i] = (sbyte)code;
                if (i < QuantizedActivations.BlockLength / 2) sumLow += code;
                else sumHigh += code;
            }

            float scale = float.IsFinite(max / 127f) ? max / 127f : float.NaN;
            rounded.Scales[block] = scale;
            rounded.Sums16[2 * block] = scale * sumLow;
            rounded.Sums16[(2 * block) + 1] = scale * sumHigh;
            rounded.Sums32[block] = scale * (sumLow + sumHigh);
        }
    }
}
