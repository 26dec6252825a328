using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lingotto.Formats;
using Xunit;

namespace Lingotto.Tests.Formats;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_file_is_byte_for_byte_the_one_written_by_hand()
    {
        using var stream = new MemoryStream();
        using (var writer = new SafetensorsWriter(stream, [new("b", SafetensorsDType.U8, [3]), new("a", SafetensorsDType.F32, [1, 2])]))
        {
            writer.Write("b", [7, 8, 9]);
            writer.Write("a", MemoryMarshal.AsBytes<float>([1f, -2f]));
            writer.Complete();
        }

        const string header =
            "{\"__metadata__\":{\"format\":\"pt\"}," +
            "\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}," +
            "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]}}    ";
        byte[] expected = [(byte)header.Length, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(header), 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 7,
            8, 9];
        Assert.Equal(0, header.Length % 8);
        Assert.Equal(expected, stream.ToArray());
    }

    [Fact]
    public void Tensors_written_in_any_order_and_parts_are_read_back()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            var tensors = RandomSpecs(random);
            var data = tensors.ToDictionary(tensor => tensor.Name, tensor => RandomBytes(random, tensor));
            string path = _folder.File("round.safetensors");
            using (var writer = new SafetensorsWriter(path, tensors))
            {
                foreach ((string name, int begin, int end) in Parts(random, data))
                {
                    writer.Write(name, begin, data[name].AsSpan(begin, end - begin));
                }

                writer.Complete();
            }

            using SafetensorsFile file = SafetensorsFile.Open(path);
            Assert.Equal(tensors.Count, file.Tensors.Count);
            foreach (TensorSpec tensor in tensors)
            {
                Assert.True(file.TryGet(tensor.Name, out TensorEntry entry));
                Assert.Equal(tensor.DType, entry.DType);
                Assert.Equal(tensor.Shape, entry.Shape);
                byte[] read = new byte[entry.ByteLength];
                file.Read(entry, read);
                Assert.Equal(data[tensor.Name], read);
            }
        }).Check(Config.QuickThrowOnFailure.WithReplay(2026, 1));
    }

    [Fact]
    public void Every_element_type_is_written_and_read()
    {
        TensorSpec[] tensors = [.. Enum.GetValues<SafetensorsDType>().Select(dtype => new TensorSpec(dtype.ToString(), dtype, [4]))];
        string path = _folder.File("types.safetensors");
        using (var writer = new SafetensorsWriter(path, tensors))
        {
            foreach (TensorSpec tensor in tensors)
            {
                writer.Write(tensor.Name, new byte[SafetensorsDTypes.Bits(tensor.DType) / 2]);
            }

            writer.Complete();
        }

        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(tensors.Select(tensor => tensor.DType), file.Tensors.Select(tensor => tensor.DType).Order());
        int[] sizes = [.. file.Tensors.Select(tensor => SafetensorsDTypes.Bits(tensor.DType))];
        Assert.Equal(sizes.OrderDescending(), sizes);
    }

    [SkippableFact]
    public void Python_reads_the_same_numbers()
    {
        string path = _folder.File("oracle.safetensors");
        float[] matrix = [1.5f, -2f, 3e30f, 0f, -0f, 1e-40f];
        long[] numbers = [long.MinValue, 42];
        using (var writer = new SafetensorsWriter(
            path, [new("w \u00e9\"\\", SafetensorsDType.F32, [2, 3]), new("n", SafetensorsDType.I64, [2]),
                new("s", SafetensorsDType.U8, [])]))
        {
            writer.Write("w \u00e9\"\\", MemoryMarshal.AsBytes<float>(matrix));
            writer.Write("n", MemoryMarshal.AsBytes<long>(numbers));
            writer.Write("s", [200]);
            writer.Complete();
        }

        const string script = """
            import json, struct, sys
            import numpy as np
            raw = open(sys.argv[1], 'rb').read()
            n, = struct.unpack('<Q', raw[:8])
            header = json.loads(raw[8:8 + n])
            assert header.pop('__metadata__') == {'format': 'pt'}
            types = {'F32': '<f4', 'I64': '<i8', 'U8': 'u1'}
            def load(name):
                e = header[name]
                a, b = e['data_offsets']
                return np.frombuffer(raw[8 + n + a:8 + n + b], types[e['dtype']]).reshape(e['shape'])
            expected = np.array([[1.5, -2, 3e30], [0, -0.0, 1e-40]], np.float32)
            assert load('w \u00e9"\\').tobytes() == expected.tobytes()
            assert load('n').tolist() == [-2**63, 42]
            assert load('s').shape == () and load('s') == 200
            print('same')
            """;
        bool hasNumpy = RunPython("import numpy", "") == "";
        Assert.True(hasNumpy || !Model.LingOracle.IsRequired, "python3 with numpy is not installed");
        Skip.IfNot(hasNumpy, "python3 with numpy is not installed");
        Assert.Equal("same\n", RunPython(script, path));
    }

    [Fact]
    public void A_tensor_left_unwritten_is_named_and_the_file_never_appears()
    {
        string path = _folder.File("unfinished.safetensors");
        using (var writer = new SafetensorsWriter(path, [new("a", SafetensorsDType.U8, [4])]))
        {
            writer.Write("a", 1, new byte[2]);
            var exception = Assert.Throws<SafetensorsException>(writer.Complete);
            Assert.Contains("tensor 'a': lacks 2 bytes", exception.Message, StringComparison.Ordinal);
        }

        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Misuse_is_an_error_with_the_name_of_the_tensor()
    {
        using var writer = new SafetensorsWriter(new MemoryStream(), [new("a", SafetensorsDType.U8, [4])]);
        writer.Write("a", 0, new byte[2]);
        Assert.Throws<SafetensorsException>(() => writer.Write("b", new byte[4]));
        Assert.Throws<SafetensorsException>(() => writer.Write("a", new byte[3]));
        Assert.Throws<SafetensorsException>(() => writer.Write("a", 1, new byte[2]));
        Assert.Throws<SafetensorsException>(() => writer.Write("a", 3, new byte[2]));
        Assert.Throws<SafetensorsException>(() => writer.Write("a", -1, new byte[1]));
        Assert.Throws<SafetensorsException>(() => writer.Write("a", long.MaxValue, new byte[1]));
        Assert.Throws<SafetensorsException>(
            () => Create(new TensorSpec("a", SafetensorsDType.U8, [1]), new("a", SafetensorsDType.F32, [1])));
        Assert.Throws<SafetensorsException>(() => Create(new TensorSpec("__metadata__", SafetensorsDType.U8, [1])));
        Assert.Throws<SafetensorsException>(() => Create(new TensorSpec("a", SafetensorsDType.U8, [-1])));
        Assert.Throws<SafetensorsException>(() => Create(new TensorSpec("a", SafetensorsDType.F64, [1L << 60, 8])));
        Assert.Throws<SafetensorsException>(() => Create(new TensorSpec("a", SafetensorsDType.F4, [1])));
    }

    [Fact]
    public void Saving_over_a_file_that_is_open_leaves_its_reader_the_old_one()
    {
        string path = _folder.File("model.safetensors");
        Save(path, 1);
        using SafetensorsFile old = SafetensorsFile.Open(path);
        Save(path, 2);
        byte[] value = new byte[1];
        old.Read(old.Tensors[0], value);
        Assert.Equal(1, value[0]);
        using SafetensorsFile current = SafetensorsFile.Open(path);
        current.Read(current.Tensors[0], value);
        Assert.Equal(2, value[0]);
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    private static void Create(params TensorSpec[] tensors) => new SafetensorsWriter(new MemoryStream(), tensors).Dispose();

    private static void Save(string path, byte value)
    {
        using var writer = new SafetensorsWriter(path, [new("a", SafetensorsDType.U8, [1])]);
        writer.Write("a", [value]);
        writer.Complete();
    }

    private static List<TensorSpec> RandomSpecs(Random random)
    {
        SafetensorsDType[] dtypes = [SafetensorsDType.U8, SafetensorsDType.BF16, SafetensorsDType.F32, SafetensorsDType.I64];
        return [.. Enumerable.Range(0, random.Next(6)).Select(i => new TensorSpec(
            $"layer.{i}", dtypes[random.Next(4)], [.. Enumerable.Range(0, random.Next(4)).Select(_ => (long)random.Next(5))]))];
    }

    private static byte[] RandomBytes(Random random, TensorSpec tensor)
    {
        byte[] bytes = new byte[SafetensorsDTypes.ByteLength(tensor.DType, tensor.Shape, "test", tensor.Name)];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Every tensor cut into up to four parts, all parts shuffled.</summary>
    private static (string Name, int Begin, int End)[] Parts(Random random, Dictionary<string, byte[]> data)
    {
        var parts = new List<(string, int, int)>();
        foreach ((string name, byte[] bytes) in data)
        {
            int[] cuts = [0, .. Enumerable.Range(0, 3).Select(_ => random.Next(bytes.Length + 1)).Order(), bytes.Length];
            parts.AddRange(cuts.Zip(cuts.Skip(1), (begin, end) => (name, begin, end)));
        }

        (string, int, int)[] shuffled = [.. parts];
        random.Shuffle(shuffled);
        return shuffled;
    }

    /// <summary>What the script printed; null when it did not run to its end.</summary>
    private static string? RunPython(string script, string argument)
    {
        const string python = "/usr/bin/python3";
        if (!File.Exists(python))
        {
            return null;
        }

        using Process process = Process.Start(new ProcessStartInfo(python, ["-c", script, argument]) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : null;
    }
}
