using System.Globalization;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu;
using FastLayers.Kernels.Gpu.Formats;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.OpenCL;

namespace FastLayers.Gpu;

/// <summary>
/// A GPU through CUDA or OpenCL, or one emulated by threads of this process. Operations are started in order on one stream and run while the
/// host goes on; <see cref="FastLayers.Device.Read"/> waits for them. Calls from several threads take turns.
/// </summary>
public sealed partial class GpuDevice : Device
{
    private readonly Lock _sync = new();
    private readonly Context _context;
    private readonly Accelerator _accelerator;
    private readonly GpuLauncher _launcher;
    private readonly GpuAllocator _allocator;
    private readonly GpuBackend _backend;
    private readonly long _memoryLimit;

    private GpuDevice(GpuBackend backend, int index, GpuDeviceOptions? options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        _backend = backend;
        _memoryLimit = options?.MemoryLimit ?? long.MaxValue;
        if (_memoryLimit <= 0) throw new ArgumentOutOfRangeException(nameof(options), _memoryLimit, "The memory limit must be positive.");
        Name = NameOf(backend, index);
        _context = GpuPlatform.CreateContext(backend);
        var devices = GpuPlatform.Devices(_context, backend);
        if (index >= devices.Count)
        {
            _context.Dispose();
            throw new GpuDeviceNotFoundException(devices.Count == 0
                ? $"There is no device {Name}: {GpuPlatform.ReasonForNoDevice(backend)}."
                : $"There is no device {Name}: {backend} has {devices.Count}, numbered from 0.");
        }

        try
        {
            _accelerator = devices[index].CreateAccelerator(_context);
            _launcher = new GpuLauncher(_accelerator);
        }
        catch (Exception e)
        {
            _context.Dispose();
            throw new GpuDeviceNotFoundException($"{devices[index].Name} cannot be opened: {e.Message}", e);
        }

        _allocator = new GpuAllocator(_launcher, _memoryLimit);
        _ids = new(_launcher, _allocator);
        _weights = new(_launcher, _allocator);
        _positions = new(_launcher, _allocator);
        _sequences = new(_launcher, _allocator);
        _windowStart = new(_launcher, _allocator);
        _end = new(_launcher, _allocator);
        _pages = new(_launcher, _allocator);
        _activations = new(_allocator);
        _scratch = new(_allocator);
        _weightCopy = new(_allocator);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override string Description => _backend == GpuBackend.Emulated
        ? string.Create(CultureInfo.InvariantCulture, $"emulated by {_accelerator.MaxNumThreadsPerMultiprocessor * _accelerator.NumMultiprocessors} threads of this process, for tests")
        : $"{_accelerator.Name}, {_backend}";

    /// <inheritdoc/>
    public override long MemoryBytes => Math.Min(_accelerator.MemorySize, _memoryLimit);

    /// <summary>Buffers that tensors and the device itself hold now.</summary>
    public int LiveBuffers => _allocator.LiveBuffers;

    /// <summary>Bytes of <see cref="LiveBuffers"/>.</summary>
    public long LiveBytes => _allocator.LiveBytes;

    internal bool IsDisposed { get; private set; }

    internal GpuLauncher Launcher => _launcher;

    /// <summary>Runs entries of the kernel catalog on this device.</summary>
    public Kernels.Gpu.Catalog.GpuKernelRunner CreateKernelRunner() => new(_launcher, Name);

    /// <summary>An NVIDIA GPU.</summary>
    /// <param name="index">Which of them, from 0.</param>
    /// <param name="options">Settings other than the defaults.</param>
    /// <exception cref="GpuDeviceNotFoundException">The driver is missing, or there is no such device.</exception>
    public static GpuDevice Cuda(int index = 0, GpuDeviceOptions? options = null) => new(GpuBackend.Cuda, index, options);

    /// <summary>A device with an OpenCL driver that has a generic address space.</summary>
    /// <param name="index">Which of them, from 0.</param>
    /// <param name="options">Settings other than the defaults.</param>
    /// <exception cref="GpuDeviceNotFoundException">The driver is missing, or there is no such device.</exception>
    public static GpuDevice OpenCL(int index = 0, GpuDeviceOptions? options = null) => new(GpuBackend.OpenCL, index, options);

    /// <summary>A device emulated by threads of this process: slow, the same code and results.</summary>
    /// <param name="options">Settings other than the defaults.</param>
    public static GpuDevice Emulated(GpuDeviceOptions? options = null) => new(GpuBackend.Emulated, 0, options);

    /// <summary>
    /// The first NVIDIA GPU, else the first OpenCL GPU, else the processor. OpenCL drivers for processors are passed over: the SIMD kernels
    /// are faster.
    /// </summary>
    public static Device BestOrCpu()
    {
        foreach (var info in List())
        {
            if (info.Reason is not null || info.Backend == GpuBackend.Emulated || (info.Backend == GpuBackend.OpenCL && !info.IsGpu)) continue;
            try
            {
                return new GpuDevice(info.Backend, info.Index, options: null);
            }
            catch (GpuDeviceNotFoundException)
            {
                // A driver that lists a device and cannot open it: the next one.
            }
        }

        return Cpu;
    }

    /// <summary>All devices, and for a backend without one the reason.</summary>
    public static IReadOnlyList<GpuDeviceInfo> List()
    {
        var found = new List<GpuDeviceInfo>();
        foreach (var backend in Enum.GetValues<GpuBackend>())
        {
            using var context = GpuPlatform.CreateContext(backend);
            var devices = GpuPlatform.Devices(context, backend);
            if (devices.Count == 0) found.Add(new(backend, 0, NameOf(backend, 0), backend.ToString(), 0, GpuPlatform.ReasonForNoDevice(backend)));
            for (int i = 0; i < devices.Count; i++)
            {
                found.Add(new(backend, i, NameOf(backend, i), backend == GpuBackend.Emulated ? "emulated by threads of this process, for tests" : devices[i].Name, devices[i].MemorySize, null)
                {
                    IsGpu = backend == GpuBackend.Cuda || devices[i] is CLDevice { DeviceType: CLDeviceType.CL_DEVICE_TYPE_GPU },
                });
            }
        }

        return found;
    }

    internal void Return(MemoryBuffer1D<byte, Stride1D.Dense> buffer)
    {
        lock (_sync)
        {
            // With the device went all its memory.
            if (!IsDisposed) _allocator.Return(buffer);
        }
    }

    /// <inheritdoc/>
    protected override DeviceMemory AllocateMemory(Format format, long rows, int columns)
    {
        lock (_sync)
        {
            var memory = RentMemory(format, rows, columns);
            try
            {
                _launcher.Clear(memory.Bytes);
            }
            catch
            {
                memory.Dispose();
                throw;
            }

            return memory;
        }
    }

    /// <inheritdoc/>
    protected override unsafe DeviceMemory MapMemory(Format format, long rows, int columns, byte* bytes)
    {
        lock (_sync)
        {
            var memory = RentMemory(format, rows, columns);
            try
            {
                memory.Fill(_launcher, bytes);
            }
            catch
            {
                memory.Dispose();
                throw;
            }

            return memory;
        }
    }

    /// <inheritdoc/>
    protected override void WaitCore()
    {
        lock (_sync) _launcher.Synchronize();
    }

    /// <inheritdoc/>
    protected override void ReadCore(Tensor source, long firstValue, Span<float> values)
    {
        lock (_sync) _launcher.Download(GpuMemory.Floats(source, firstValue + values.Length).SubView(firstValue, values.Length), values);
    }

    /// <inheritdoc/>
    protected override void WriteCore(Tensor target, long firstValue, ReadOnlySpan<float> values)
    {
        lock (_sync) _launcher.Upload(values, GpuMemory.Floats(target, firstValue + values.Length).SubView(firstValue, values.Length));
    }

    /// <inheritdoc/>
    protected override void CopyCore(Tensor source, long sourceRow, Tensor target, long targetRow, long rows)
    {
        long blocksPerRow = source.Columns / source.Format.BlockLength;
        lock (_sync) GpuMemory.CopyBlocks(_launcher, source, sourceRow * blocksPerRow, target, targetRow * blocksPerRow, rows * blocksPerRow);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            lock (_sync)
            {
                if (IsDisposed) return;
                IsDisposed = true;
                _launcher.Dispose();
                _allocator.Dispose();
                _launcher.Close(_accelerator);
                _launcher.Close(_context);
            }
        }

        base.Dispose(disposing);
    }

    private static string NameOf(GpuBackend backend, int index) => backend switch
    {
        GpuBackend.Cuda => string.Create(CultureInfo.InvariantCulture, $"cuda:{index}"),
        GpuBackend.OpenCL => string.Create(CultureInfo.InvariantCulture, $"opencl:{index}"),
        _ => "emulated",
    };

    private GpuMemory RentMemory(Format format, long rows, int columns)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        var layout = GpuMatrixLayout.Of(format, rows, columns);
        if (_backend == GpuBackend.OpenCL && layout.ByteLength > int.MaxValue)
            throw new NotSupportedException($"{Name}: {rows} x {columns} {format.Name} values take {layout.ByteLength:N0} bytes; ILGPU hands views to OpenCL kernels with 32-bit offsets, so that one tensor holds at most {int.MaxValue:N0}.");
        return new GpuMemory(this, _allocator.Rent(layout.ByteLength), layout);
    }
}
