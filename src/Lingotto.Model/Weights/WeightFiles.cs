using System.Runtime.InteropServices;
using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>Weights from safetensors under Hugging Face names.</summary>
public static class WeightFiles
{
    /// <summary>Every tensor of the model under its Hugging Face name, in checkpoint order.</summary>
    public static IEnumerable<NamedTensor> Enumerate(ModelConfig config, IReadOnlyList<ParameterBlock> blocks) =>
        HuggingFaceNames.Of(config, blocks);

    /// <summary>Fills the model from a folder of safetensors, converting BF16 and F16 to F32.</summary>
    /// <exception cref="SafetensorsException">A tensor is missing, or of another shape or type.</exception>
    public static void LoadModel(Device device, string folder, ModelConfig config, IReadOnlyList<ParameterBlock> blocks) =>
        Read(device, folder, HuggingFaceNames.Of(config, blocks));

    /// <summary>Fills tensors by name from a safetensors file or a folder of them.</summary>
    /// <exception cref="SafetensorsException">A tensor is missing, or of another shape or type.</exception>
    public static void Read(Device device, string path, IEnumerable<NamedTensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(tensors);
        using SafetensorsModel model = SafetensorsModel.Open(path);
        var buffer = new float[TensorChunks.Length];
        var raw = new byte[TensorChunks.Length * sizeof(float)];
        foreach (NamedTensor tensor in tensors)
        {
            if (!model.TryGet(tensor.Name, out SafetensorsFile file, out TensorEntry entry))
            {
                throw new SafetensorsException(path, tensor.Name, "is missing: the weights belong to another model or the file is incomplete");
            }

            long[] shape = ShapeOf(tensor.Value);
            if (!entry.Shape.AsSpan().SequenceEqual(shape))
            {
                throw new SafetensorsException(
                    path, tensor.Name,
                    $"has shape [{string.Join(", ", entry.Shape)}] where config.json asks for [{string.Join(", ", shape)}]: the two do not belong together");
            }

            foreach ((Tensor part, int first) in TensorChunks.Of(tensor.Value))
            {
                Span<float> values = buffer.AsSpan(0, (int)part.Length);
                ReadFloats(file, entry, first, values, raw, path);
                device.Upload<float>(values, part);
            }
        }
    }

    private static void ReadFloats(SafetensorsFile file, TensorEntry entry, int first, Span<float> values, byte[] raw, string path)
    {
        switch (entry.DType)
        {
            case SafetensorsDType.F32:
                file.Read(entry, (long)first * 4, MemoryMarshal.AsBytes(values));
                break;
            case SafetensorsDType.BF16:
                Span<byte> halves = raw.AsSpan(0, values.Length * 2);
                file.Read(entry, (long)first * 2, halves);
                ReadOnlySpan<ushort> bits = MemoryMarshal.Cast<byte, ushort>(halves);
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
                }

                break;
            case SafetensorsDType.F16:
                Span<byte> half = raw.AsSpan(0, values.Length * 2);
                file.Read(entry, (long)first * 2, half);
                ReadOnlySpan<Half> numbers = MemoryMarshal.Cast<byte, Half>(half);
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)numbers[i];
                }

                break;
            default:
                throw new SafetensorsException(path, entry.Name, $"has type {entry.DType}: convert it to F32, BF16 or F16");
        }
    }

    private static long[] ShapeOf(Tensor tensor) => [.. Enumerable.Range(0, tensor.Rank).Select(dim => (long)tensor[dim])];
}
