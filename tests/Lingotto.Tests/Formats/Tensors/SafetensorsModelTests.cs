using Lingotto.Formats;
using Xunit;

namespace Lingotto.Tests.Formats;

public sealed class SafetensorsModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_single_file_is_found_in_its_folder_or_by_its_path()
    {
        Save("model.safetensors", "a", "b");
        foreach (string path in new[] { _folder.Path, _folder.File("model.safetensors") })
        {
            using SafetensorsModel model = SafetensorsModel.Open(path);
            Assert.Equal(["a", "b"], model.Names);
        }
    }

    [Fact]
    public void Shards_are_found_through_the_index_and_unlisted_tensors_ignored()
    {
        Save("model-00001-of-00002.safetensors", "a", "extra");
        Save("model-00002-of-00002.safetensors", "b");
        Index("""
            {"metadata":{"total_size":2},
             "weight_map":{"b":"model-00002-of-00002.safetensors","a":"model-00001-of-00002.safetensors"}}
            """);
        using SafetensorsModel model = SafetensorsModel.Open(_folder.Path);
        Assert.Equal(["a", "b"], model.Names);
        Assert.True(model.TryGet("b", out SafetensorsFile file, out TensorEntry entry));
        byte[] value = new byte[1];
        file.Read(entry, value);
        Assert.Equal((byte)'b', value[0]);
        Assert.False(model.TryGet("extra", out _, out _));
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("sub/model.safetensors")]
    [InlineData("sub\\\\model.safetensors")]
    [InlineData("/etc/model.safetensors")]
    [InlineData("c:model.safetensors")]
    [InlineData("a..safetensors")]
    [InlineData("a\\u0000.safetensors")]
    [InlineData("passwd")]
    [InlineData("")]
    public void A_shard_outside_the_folder_is_an_error_and_is_not_opened(string shard)
    {
        Index("{\"weight_map\":{\"a\":\"" + shard + "\"}}");
        var exception = Assert.Throws<SafetensorsException>(() => SafetensorsModel.Open(_folder.Path));
        Assert.Contains("not a plain file name", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"weight_map":null}""")]
    [InlineData("""{"weight_map":{"a":null}}""")]
    [InlineData("""{"weight_map":{"a":1}}""")]
    [InlineData("""{"weight_map":{"a":"x.safetensors","a":"x.safetensors"}}""")]
    [InlineData("""{"weight_map":{"a":"absent.safetensors"}}""")]
    [InlineData("""{"weight_map":{"\ud800":"x.safetensors"}}""")]
    public void A_broken_index_is_an_error(string json)
    {
        Index(json);
        Assert.Throws<SafetensorsException>(() => SafetensorsModel.Open(_folder.Path));
    }

    [Fact]
    public void A_listed_tensor_that_is_absent_is_named()
    {
        Save("x.safetensors", "a");
        Index("""{"weight_map":{"a":"x.safetensors","lost":"x.safetensors"}}""");
        var exception = Assert.Throws<SafetensorsException>(() => SafetensorsModel.Open(_folder.Path));
        Assert.Equal("lost", exception.Tensor);
    }

    [Fact]
    public void A_folder_without_weights_says_what_belongs_there()
    {
        var exception = Assert.Throws<SafetensorsException>(() => SafetensorsModel.Open(_folder.Path));
        Assert.Contains("model.safetensors", exception.Message, StringComparison.Ordinal);
    }

    private void Index(string json) => File.WriteAllText(_folder.File("model.safetensors.index.json"), json);

    private void Save(string file, params string[] names)
    {
        using var writer = new SafetensorsWriter(
            _folder.File(file), [.. names.Select(name => new TensorSpec(name, SafetensorsDType.U8, [1]))]);
        foreach (string name in names)
        {
            writer.Write(name, [(byte)name[0]]);
        }

        writer.Complete();
    }
}
