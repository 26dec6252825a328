using System.Text;
using System.Text.Json.Nodes;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public sealed class TokenizerJsonTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lingotto-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_saved_tokenizer_encodes_the_same_after_loading()
    {
        string path = Path.Combine(_folder, "tokenizer.json");
        TestTokenizers.Small.Save(path);
        Tokenizer loaded = Tokenizer.Load(path);
        Assert.Equal(TestTokenizers.Small.Fingerprint(), loaded.Fingerprint());
        Assert.Equal([path], Directory.GetFiles(_folder));
        var random = new Random(41);
        for (int i = 0; i < 100; i++)
        {
            string text = TestTokenizers.RandomText(random, 200) + "<|endoftext|>";
            Assert.Equal(TestTokenizers.Small.Encode(text), loaded.Encode(text));
        }
    }

    [Fact]
    public void Merges_load_as_strings_and_as_pairs()
    {
        Tokenizer loaded = Load(root =>
        {
            JsonArray merges = root["model"]!["merges"]!.AsArray();
            root["model"]!["merges"] = new JsonArray([.. merges.Select(
                merge => new JsonArray([.. merge!.GetValue<string>().Split(' ').Select(part => JsonValue.Create(part))]))]);
        });
        Assert.Equal(TestTokenizers.Small.Fingerprint(), loaded.Fingerprint());
    }

    [Theory]
    [InlineData("""{"normalizer":{"type":"NFC"}}""", "normalizer 'NFC'")]
    [InlineData("""{"pre_tokenizer":{"type":"Whitespace"}}""", "pre_tokenizer 'Whitespace'")]
    [InlineData("""{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits"}]}}""", "pre_tokenizer 'Digits'")]
    [InlineData(
        """{"pre_tokenizer":{"type":"Sequence","pretokenizers":"""
            + """[{"type":"Split","pattern":{"Regex":"\\w+"},"behavior":"Isolated"},{"type":"ByteLevel"}]}}""",
        @"Split by \w+")]
    [InlineData("""{"pre_tokenizer":null}""", "pre_tokenizer 'null'")]
    [InlineData("""{"post_processor":{"type":"TemplateProcessing"}}""", "post_processor 'TemplateProcessing'")]
    [InlineData("""{"decoder":{"type":"WordPiece"}}""", "decoder 'WordPiece'")]
    [InlineData("""{"model":{"type":"Unigram"}}""", "model 'Unigram'")]
    [InlineData("""{"model":{"type":"BPE","byte_fallback":true}}""", "model 'byte_fallback'")]
    [InlineData("""{"model":{"type":"BPE","dropout":0.1}}""", "model 'dropout'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}""", "-1 is not a token id")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}}""", "id 0 to both")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}""", "model.merges[0] needs the token 'b'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["ab"]}}""", "model.merges[0] is 'ab'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}""", "no token for byte 0x00")]
    [InlineData("""{"model":{"type":"BPE","vocab":[],"merges":[]}}""", "another type")]
    [InlineData("""{"added_tokens":[]}""", "no <|endoftext|>")]
    [InlineData("""{"added_tokens":[{"id":1,"content":"x"},{"id":1,"content":"y"}]}""", "id 1")]
    public void An_unsupported_feature_is_an_error_with_its_name(string changes, string expected)
    {
        var fault = Assert.Throws<InvalidDataException>(() => Load(root =>
        {
            foreach ((string key, JsonNode? value) in JsonNode.Parse(changes)!.AsObject())
            {
                root[key] = value?.DeepClone();
            }
        }));
        Assert.Contains(expected, fault.Message);
        Assert.Contains("changed.json", fault.Message);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Fact]
    public void Damage_is_reported_with_the_file()
    {
        string path = Path.Combine(_folder, "cut.json");
        byte[] whole = TestTokenizers.Small.ToJson();
        File.WriteAllBytes(path, whole[..(whole.Length / 2)]);
        Assert.Contains("cut.json: not a tokenizer.json: line", Assert.Throws<InvalidDataException>(() => Tokenizer.Load(path)).Message);
        Assert.Contains("none.json", Assert.Throws<FileNotFoundException>(() => Tokenizer.Load(Path.Combine(_folder, "none.json")))
            .Message);
    }

    private Tokenizer Load(Action<JsonObject> change)
    {
        JsonObject root = JsonNode.Parse(Encoding.UTF8.GetString(TestTokenizers.Small.ToJson()))!.AsObject();
        change(root);
        string path = Path.Combine(_folder, "changed.json");
        File.WriteAllText(path, root.ToJsonString());
        return Tokenizer.Load(path);
    }
}
