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
    /// <exception cref="SafetensorsException">
    /// A tensor is missing, unknown to the model, of another shape or type, or holds a value that is no number.
    /// </exception>
    /// <exception cref="ModelConfigException">A size of the config is not the size of the tensors.</exception>
    public static void LoadModel(Device device, string folder, ModelConfig config, IReadOnlyList<ParameterBlock> blocks)
    {
        ArgumentNullException.ThrowIfNull(config);
        using SafetensorsModel model = SafetensorsModel.Open(folder);
        NamedTensor[] tensors = [.. HuggingFaceNames.Of(config, blocks)];
        if (tensors.FirstOrDefault(tensor => !model.TryGet(tensor.Name, out _, out _)) is { Name: { } missing })
        {
            throw Missing(model, folder, missing);
        }

        WeightSizes.Require(config, model, Path.Combine(folder, "config.json"));
        RequireKnown(model, folder, config, tensors);
        Read(device, model, folder, tensors, mustBeNumbers: true);
    }

    /// <summary>Fills tensors by name from a safetensors file or a folder of them.</summary>
    /// <exception cref="SafetensorsException">A tensor is missing, or of another shape or type.</exception>
    public static void Read(Device device, string path, IEnumerable<NamedTensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(tensors);
        using SafetensorsModel model = SafetensorsModel.Open(path);
        Read(device, model, path, tensors, mustBeNumbers: false);
    }

    private static void Read(Device device, SafetensorsModel model, string path, IEnumerable<NamedTensor> tensors, bool mustBeNumbers)
    {
        var buffer = new float[TensorChunks.Length];
        var raw = new byte[TensorChunks.Length * sizeof(float)];
        foreach (NamedTensor tensor in tensors)
        {
            if (!model.TryGet(tensor.Name, out SafetensorsFile file, out TensorEntry entry))
            {
                throw Missing(model, path, tensor.Name);
            }

            long[] shape = ShapeOf(tensor.Value);
            if (!entry.Shape.AsSpan().SequenceEqual(shape))
            {
                throw new SafetensorsException(
                    path, tensor.Name,
                    $"has shape [{string.Join(", ", entry.Shape)}] where config.json asks for [{string.Join(", ", shape)}]: the two do "
                    + "not belong together");
            }

            foreach ((Tensor part, int first) in TensorChunks.Of(tensor.Value))
            {
                Span<float> values = buffer.AsSpan(0, (int)part.Length);
                ReadFloats(file, entry, first, values, raw, path);
                if (mustBeNumbers)
                {
                    RequireNumbers(values, path, tensor.Name, first);
                }

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

    /// <summary>
    /// Refuses tensors that the model would ignore: they are part of another architecture, and the output would be nonsense.
    /// </summary>
    private static void RequireKnown(SafetensorsModel model, string path, ModelConfig config, NamedTensor[] tensors)
    {
        HashSet<string> known = [.. tensors.Select(tensor => tensor.Name)];
        string mtp = $"model.layers.{config.NumHiddenLayers}.";
        foreach (string name in model.Names)
        {
            bool isUnusedMtp = config.NumNextnPredictLayers > 0 && name.StartsWith(mtp, StringComparison.Ordinal);
            bool isConstant = name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal);
            if (!known.Contains(name) && !isUnusedMtp && !isConstant)
            {
                throw new SafetensorsException(
                    path, name, "is a tensor that the model of config.json does not have: use the config.json of these weights");
            }
        }
    }

    private static SafetensorsException Missing(SafetensorsModel model, string path, string name) =>
        new(path, name, $"is missing: {CauseOf(model, name)}");

    private static string CauseOf(SafetensorsModel model, string name) =>
        name == "lm_head.weight" ? "a head that is tied to the embedding (tie_word_embeddings) is not run yet"
        : name.Contains(".mlp.experts.", StringComparison.Ordinal)
        && model.Names.Any(other => other.EndsWith("mlp.experts.gate_up_proj", StringComparison.Ordinal))
            ? "its experts are fused into one tensor, as transformers 5 saves them: save the model with one tensor for each expert"
        : "the weights belong to another model or the file is incomplete";

    private static void RequireNumbers(ReadOnlySpan<float> values, string path, string name, int first)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                throw new SafetensorsException(
                    path, name,
                    $"element {(long)first + i} is {values[i]}, not a number: the model is damaged or its training diverged; use "
                    + "another checkpoint");
            }
        }
    }

    private static long[] ShapeOf(Tensor tensor) => [.. Enumerable.Range(0, tensor.Rank).Select(dim => (long)tensor[dim])];
}
