using System.Runtime.CompilerServices;

// The assembly that ILGPU makes at run time; it calls the kernels of the tests.
[assembly: InternalsVisibleTo("ILGPURuntime")]
