// Lists the OpenCL devices of this process and proves each by running a kernel on it: a reduction through local memory and a generic pointer, which
// is what the GPU kernels need. The library is loaded by the same unversioned name that ILGPU uses. Exit code 0 if a device passed.
using System.Runtime.InteropServices;
using System.Text;

const int Groups = 64, Size = 128;
const string Source = """
    static float pick(const float* any, int i) { return any[i]; }
    __kernel void sums(__global const float* x, __global float* y, __local float* shared)
    {
        int t = (int)get_local_id(0), size = (int)get_local_size(0);
        shared[t] = pick(x, (int)get_global_id(0));
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int s = size / 2; s > 0; s /= 2)
        {
            if (t < s) shared[t] += pick(shared, t + s);
            barrier(CLK_LOCAL_MEM_FENCE);
        }
        if (t == 0) y[get_group_id(0)] = shared[0];
    }
    """;

int good = 0;
try
{
    uint platformCount = 0;
    int code = Cl.clGetPlatformIDs(0, null, ref platformCount);
    if (code != 0 || platformCount == 0)
        return Fail($"libOpenCL.so is there but has no platform (code {code})");
    nint[] platforms = new nint[platformCount];
    _ = Cl.clGetPlatformIDs(platformCount, platforms, ref platformCount);
    foreach (nint platform in platforms)
    {
        uint deviceCount = 0;
        if (Cl.clGetDeviceIDs(platform, Cl.AllDevices, 0, null, ref deviceCount) != 0)
            continue;
        nint[] devices = new nint[deviceCount];
        _ = Cl.clGetDeviceIDs(platform, Cl.AllDevices, deviceCount, devices, ref deviceCount);
        foreach (nint device in devices)
        {
            string problem = Prove(device);
            if (problem.Length == 0)
                good++;
            Console.WriteLine($"{Text(device, Cl.DeviceName)} | {Text(device, Cl.DeviceVersion)} | driver {Text(device, Cl.DriverVersion)} | " +
                (problem.Length == 0 ? $"ran {Groups} groups of {Size}, all sums right" : $"not usable: {problem}"));
        }
    }
}
catch (DllNotFoundException)
{
    return Fail("libOpenCL.so cannot be loaded");
}
return good > 0 ? 0 : Fail("no usable device");

static int Fail(string why)
{
    Console.WriteLine($"no OpenCL: {why}");
    return 1;
}

static string Text(nint device, uint what)
{
    byte[] text = new byte[1024];
    return Cl.clGetDeviceInfo(device, what, text.Length, text, out nint length) == 0 ? Encoding.UTF8.GetString(text, 0, Math.Max(0, (int)length - 1)).Trim() : "?";
}

// Returns why the device cannot be used, or nothing.
static string Prove(nint device)
{
    string version = Text(device, Cl.DeviceVersion);
    if (version.StartsWith("OpenCL 1.", StringComparison.Ordinal))
        return "OpenCL 2.0 or later is needed";
    if (version.StartsWith("OpenCL 3.", StringComparison.Ordinal))
    {
        byte[] supported = new byte[4];
        if (Cl.clGetDeviceInfo(device, Cl.GenericAddressSpace, 4, supported, out _) != 0 || supported[0] == 0)
            return "it has no generic address space";
    }

    nint context = Cl.clCreateContext(0, 1, [device], 0, 0, out int code);
    if (code != 0)
        return $"clCreateContext: {code}";
    nint queue = Cl.clCreateCommandQueue(context, device, 0, out code);
    if (code != 0)
        return $"clCreateCommandQueue: {code}";
    nint program = Cl.clCreateProgramWithSource(context, 1, [Source], null, out code);
    if (code != 0)
        return $"clCreateProgramWithSource: {code}";
    code = Cl.clBuildProgram(program, 1, [device], version.StartsWith("OpenCL 3.", StringComparison.Ordinal) ? "-cl-std=CL3.0" : "-cl-std=CL2.0", 0, 0);
    if (code != 0)
    {
        byte[] log = new byte[1 << 16];
        _ = Cl.clGetProgramBuildInfo(program, device, Cl.BuildLog, log.Length, log, out nint length);
        return $"clBuildProgram: {code}: {Encoding.UTF8.GetString(log, 0, Math.Max(0, (int)length - 1))}";
    }

    nint kernel = Cl.clCreateKernel(program, "sums", out code);
    if (code != 0)
        return $"clCreateKernel: {code}";
    float[] x = new float[Groups * Size], y = new float[Groups];
    for (int i = 0; i < x.Length; i++)
        x[i] = i % 251;
    nint input = Cl.clCreateBuffer(context, Cl.CopyHostPointer, x.Length * sizeof(float), x, out code);
    if (code != 0)
        return $"clCreateBuffer: {code}";
    nint output = Cl.clCreateBuffer(context, Cl.CopyHostPointer, y.Length * sizeof(float), y, out code);
    if (code != 0)
        return $"clCreateBuffer: {code}";
    code = Cl.clSetKernelArg(kernel, 0, nint.Size, [input]);
    if (code == 0)
        code = Cl.clSetKernelArg(kernel, 1, nint.Size, [output]);
    if (code == 0)
        code = Cl.clSetKernelArg(kernel, 2, Size * sizeof(float), null);
    if (code != 0)
        return $"clSetKernelArg: {code}";
    code = Cl.clEnqueueNDRangeKernel(queue, kernel, 1, null, [Groups * Size], [Size], 0, 0, 0);
    if (code != 0)
        return $"clEnqueueNDRangeKernel: {code}";
    code = Cl.clEnqueueReadBuffer(queue, output, 1, 0, y.Length * sizeof(float), y, 0, 0, 0);
    if (code != 0)
        return $"clEnqueueReadBuffer: {code}";
    for (int g = 0; g < Groups; g++)
    {
        float sum = 0;
        for (int i = 0; i < Size; i++)
            sum += x[g * Size + i];
        if (y[g] != sum)
            return $"group {g} gave {y[g]}, not {sum}";
    }
    return "";
}

internal static class Cl
{
    public const ulong AllDevices = 0xFFFFFFFF, CopyHostPointer = 1 << 5;
    public const uint DeviceName = 0x102B, DriverVersion = 0x102D, DeviceVersion = 0x102F, GenericAddressSpace = 0x1069, BuildLog = 0x1183;
    private const string Library = "libOpenCL.so";

    [DllImport(Library)] public static extern int clGetPlatformIDs(uint count, nint[]? platforms, ref uint total);
    [DllImport(Library)] public static extern int clGetDeviceIDs(nint platform, ulong type, uint count, nint[]? devices, ref uint total);
    [DllImport(Library)] public static extern int clGetDeviceInfo(nint device, uint what, nint size, byte[] value, out nint length);
    [DllImport(Library)] public static extern nint clCreateContext(nint properties, uint count, nint[] devices, nint notify, nint data, out int code);
    [DllImport(Library)] public static extern nint clCreateCommandQueue(nint context, nint device, ulong properties, out int code);
    [DllImport(Library)] public static extern nint clCreateProgramWithSource(nint context, uint count, string[] sources, nint[]? lengths, out int code);
    [DllImport(Library)] public static extern int clBuildProgram(nint program, uint count, nint[] devices, string options, nint notify, nint data);
    [DllImport(Library)] public static extern int clGetProgramBuildInfo(nint program, nint device, uint what, nint size, byte[] value, out nint length);
    [DllImport(Library)] public static extern nint clCreateKernel(nint program, string name, out int code);
    [DllImport(Library)] public static extern nint clCreateBuffer(nint context, ulong flags, nint size, float[] data, out int code);
    [DllImport(Library)] public static extern int clSetKernelArg(nint kernel, uint index, nint size, nint[]? value);
    [DllImport(Library)] public static extern int clEnqueueNDRangeKernel(nint queue, nint kernel, uint dimensions, nint[]? offset, nint[] global, nint[] local, uint waits, nint waitList, nint done);
    [DllImport(Library)] public static extern int clEnqueueReadBuffer(nint queue, nint buffer, uint blocking, nint offset, nint size, float[] data, uint waits, nint waitList, nint done);
}
