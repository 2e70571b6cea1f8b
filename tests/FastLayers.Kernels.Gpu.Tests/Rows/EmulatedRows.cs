namespace FastLayers.Kernels.Gpu.Tests.Rows;

/// <summary>The simulated device by the name that the tests of token pruning use.</summary>
internal sealed class EmulatedRows(int groupSize = 4) : SimulatedDevice(groupSize);
