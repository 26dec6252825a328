using System.Runtime.InteropServices;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Tests.Formats;
using Xunit;

namespace Lingotto.Tests.Model;

public sealed class WeightFilesTests : IDisposable
{
    private readonly CpuDevice _device = new(threads: 1);
    private readonly TemporaryFolder _folder = new();

    private string ModelFile => _folder.File("model.safetensors");

    [Theory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    public void Loading_gives_the_saved_bits_to_a_model_that_learns_and_to_one_that_runs(string model)
    {
        ModelConfig config = TinyModels.Of(model);
        using TrainableDecoder saved = Create(config);
        TinyModels.Initialize(_device, saved);
        Save(saved);

        using TrainableDecoder loaded = Create(config);
        WeightFiles.LoadModel(_device, _folder.Path, config, loaded.Blocks);
        using var running = new LoadedModel(_device, config);
        WeightFiles.LoadModel(_device, _folder.Path, config, running.Blocks);
        Dictionary<string, float[]> expected = Values(config, saved.Blocks);
        Assert.Equal(expected, Values(config, loaded.Blocks));
        Assert.Equal(expected, Values(config, running.Blocks));
    }

    [Fact]
    public void Names_and_shapes_are_those_of_BailingMoe()
    {
        using TrainableDecoder decoder = Create(TinyModels.Ling1);
        Dictionary<string, string> shapes = Shapes(decoder);
        Assert.Equal("64x32", shapes["model.word_embeddings.weight"]);
        Assert.Equal("32", shapes["model.layers.1.input_layernorm.weight"]);
        Assert.Equal("32", shapes["model.layers.1.post_attention_layernorm.weight"]);
        Assert.Equal("64x32", shapes["model.layers.0.attention.query_key_value.weight"]);
        Assert.Equal("32x32", shapes["model.layers.0.attention.dense.weight"]);
        Assert.Equal("8x32", shapes["model.layers.0.mlp.gate.weight"]);
        Assert.Equal("20x32", shapes["model.layers.1.mlp.experts.7.gate_proj.weight"]);
        Assert.Equal("20x32", shapes["model.layers.1.mlp.experts.7.up_proj.weight"]);
        Assert.Equal("32x20", shapes["model.layers.1.mlp.experts.7.down_proj.weight"]);
        Assert.Equal("20x32", shapes["model.layers.0.mlp.shared_experts.gate_proj.weight"]);
        Assert.Equal("32x20", shapes["model.layers.0.mlp.shared_experts.down_proj.weight"]);
        Assert.Equal("32", shapes["model.norm.weight"]);
        Assert.Equal("64x32", shapes["lm_head.weight"]);
        Assert.Equal(3 + 2 * (5 + 3 * 8 + 3), shapes.Count);
    }

    [Fact]
    public void Ling_2_adds_norms_of_queries_and_keys_the_expert_bias_and_dense_layers()
    {
        using TrainableDecoder decoder = Create(TinyModels.Ling2);
        Dictionary<string, string> shapes = Shapes(decoder);
        Assert.Equal("16", shapes["model.layers.0.attention.query_layernorm.weight"]);
        Assert.Equal("16", shapes["model.layers.0.attention.key_layernorm.weight"]);
        Assert.Equal("44x32", shapes["model.layers.0.mlp.gate_proj.weight"]);
        Assert.Equal("32x44", shapes["model.layers.0.mlp.down_proj.weight"]);
        Assert.Equal("8", shapes["model.layers.1.mlp.gate.expert_bias"]);
        Assert.DoesNotContain("model.layers.0.mlp.gate.weight", shapes.Keys);
    }

    [Theory]
    [InlineData(SafetensorsDType.BF16)]
    [InlineData(SafetensorsDType.F16)]
    public void Half_precision_files_load(SafetensorsDType type)
    {
        using TrainableDecoder decoder = Create(TinyModels.Ling1);
        TinyModels.Initialize(_device, decoder);
        Dictionary<string, float[]> expected = Values(TinyModels.Ling1, decoder.Blocks)
            .ToDictionary(pair => pair.Key, pair => pair.Value.Select(value => Round(value, type)).ToArray());
        Save(decoder, tensor => (new TensorSpec(tensor.Name, type, ShapeOf(tensor)), Halves(expected[tensor.Name], type)));

        using TrainableDecoder loaded = Create(TinyModels.Ling1);
        WeightFiles.LoadModel(_device, _folder.Path, TinyModels.Ling1, loaded.Blocks);
        Assert.Equal(expected, Values(TinyModels.Ling1, loaded.Blocks));
    }

    [Fact]
    public void A_missing_tensor_is_refused_by_name()
    {
        using TrainableDecoder decoder = Create(TinyModels.Ling1);
        TinyModels.Save(
            _device, ModelFile,
            [.. WeightFiles.Enumerate(TinyModels.Ling1, decoder.Blocks).Where(t => t.Name != "model.layers.1.mlp.experts.3.up_proj.weight")]);
        AssertRefused(decoder, "model.layers.1.mlp.experts.3.up_proj.weight", "is missing", "another model or the file is incomplete");
    }

    [Fact]
    public void A_tensor_of_another_shape_is_refused_by_name_with_both_shapes()
    {
        using TrainableDecoder decoder = Create(TinyModels.Ling1);
        Save(decoder, tensor => (new TensorSpec(tensor.Name, SafetensorsDType.F32, [.. ShapeOf(tensor).Reverse()]), Bytes(tensor)));
        AssertRefused(decoder, "model.word_embeddings.weight", "[32, 64]", "config.json asks for [64, 32]");
    }

    [Theory]
    [InlineData(SafetensorsDType.F64)]
    [InlineData(SafetensorsDType.I32)]
    public void A_tensor_of_another_type_is_refused_by_name_with_the_types_that_load(SafetensorsDType type)
    {
        using TrainableDecoder decoder = Create(TinyModels.Ling1);
        int copies = type == SafetensorsDType.F64 ? 2 : 1;
        Save(decoder, tensor => (
            new TensorSpec(tensor.Name, type, ShapeOf(tensor)), [.. Enumerable.Repeat(Bytes(tensor), copies).SelectMany(bytes => bytes)]));
        AssertRefused(decoder, "model.word_embeddings.weight", $"has type {type}", "convert it to F32, BF16 or F16");
    }

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_tensor_that_the_model_does_not_have_is_refused_by_name()
    {
        using TrainableDecoder decoder = Create(TinyModels.Ling1);
        TinyModels.Initialize(_device, decoder);
        Tensor norm = decoder.Blocks[^1]["norm"].Value;
        TinyModels.Save(
            _device, ModelFile,
            [.. WeightFiles.Enumerate(decoder.Config, decoder.Blocks), new("model.layers.0.attention.query_key_value.bias", norm)]);
        AssertRefused(decoder, "model.layers.0.attention.query_key_value.bias", "does not have", "use the config.json of these weights");
    }

    [Fact]
    public void A_weight_that_is_not_a_number_is_refused_with_its_place()
    {
        using TrainableDecoder decoder = Create(TinyModels.Ling1);
        TinyModels.Initialize(_device, decoder);
        _device.Upload<float>([float.NaN], decoder.Blocks[^1]["norm"].Value.Slice(5, 1));
        Save(decoder);
        AssertRefused(decoder, "model.norm.weight", "element 5 is NaN", "use another checkpoint");
    }

    [Fact]
    public void Fused_experts_and_a_tied_head_are_named_as_the_cause()
    {
        using TrainableDecoder decoder = Create(TinyModels.Ling1);
        TinyModels.Initialize(_device, decoder);
        NamedTensor[] all = [.. WeightFiles.Enumerate(decoder.Config, decoder.Blocks)];
        TinyModels.Save(_device, ModelFile, [.. all.Where(tensor => tensor.Name != "lm_head.weight")]);
        AssertRefused(decoder, "lm_head.weight", "tie_word_embeddings");

        NamedTensor[] fused =
        [
            .. all.Where(tensor => !tensor.Name.Contains(".mlp.experts.", StringComparison.Ordinal)),
            new("model.layers.0.mlp.experts.gate_up_proj", decoder.Blocks[1]["mlp.experts.gate_up_proj"].Value),
            new("model.layers.0.mlp.experts.down_proj", decoder.Blocks[1]["mlp.experts.down_proj"].Value),
            new("model.layers.1.mlp.experts.gate_up_proj", decoder.Blocks[2]["mlp.experts.gate_up_proj"].Value),
            new("model.layers.1.mlp.experts.down_proj", decoder.Blocks[2]["mlp.experts.down_proj"].Value),
        ];
        TinyModels.Save(_device, ModelFile, fused);
        AssertRefused(decoder, "fused into one tensor, as transformers 5 saves them");
    }

    private void AssertRefused(TrainableDecoder decoder, params string[] parts)
    {
        SafetensorsException fault = Assert.Throws<SafetensorsException>(
            () => WeightFiles.LoadModel(_device, _folder.Path, decoder.Config, decoder.Blocks));
        Assert.All(parts, part => Assert.Contains(part, fault.Message, StringComparison.Ordinal));
        Assert.Contains(_folder.Path, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    private TrainableDecoder Create(ModelConfig config) => new(_device, config, sequences: 1, sequenceLength: 8);

    private void Save(TrainableDecoder decoder) =>
        TinyModels.Save(_device, ModelFile, [.. WeightFiles.Enumerate(decoder.Config, decoder.Blocks)]);

    /// <summary>Saves what <paramref name="change"/> makes of each tensor.</summary>
    private void Save(TrainableDecoder decoder, Func<NamedTensor, (TensorSpec Spec, byte[] Bytes)> change)
    {
        (TensorSpec Spec, byte[] Bytes)[] changed = [.. WeightFiles.Enumerate(decoder.Config, decoder.Blocks).Select(change)];
        using var writer = new SafetensorsWriter(ModelFile, [.. changed.Select(tensor => tensor.Spec)]);
        foreach ((TensorSpec spec, byte[] bytes) in changed)
            writer.Write(spec.Name, bytes);
        writer.Complete();
    }

    private Dictionary<string, float[]> Values(ModelConfig config, IReadOnlyList<ParameterBlock> blocks) =>
        WeightFiles.Enumerate(config, blocks).ToDictionary(tensor => tensor.Name, tensor => TinyModels.Download(_device, tensor.Value));

    private byte[] Bytes(NamedTensor tensor) => MemoryMarshal.AsBytes<float>(TinyModels.Download(_device, tensor.Value)).ToArray();

    private static long[] ShapeOf(NamedTensor tensor) => [.. Enumerable.Range(0, tensor.Value.Rank).Select(dim => (long)tensor.Value[dim])];

    private static Dictionary<string, string> Shapes(TrainableDecoder decoder) => WeightFiles.Enumerate(decoder.Config, decoder.Blocks)
        .ToDictionary(tensor => tensor.Name, tensor => string.Join('x', ShapeOf(tensor)));

    private static float Round(float value, SafetensorsDType type) => type == SafetensorsDType.F16
        ? (float)(Half)value
        : BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000);

    private static byte[] Halves(float[] values, SafetensorsDType type) => [.. values.SelectMany(value => BitConverter.GetBytes(
        type == SafetensorsDType.F16 ? BitConverter.HalfToUInt16Bits((Half)value) : (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)))];
}
