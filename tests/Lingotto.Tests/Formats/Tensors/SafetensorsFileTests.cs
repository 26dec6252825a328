using Lingotto.Formats;
using Xunit;

namespace Lingotto.Tests.Formats;

public sealed class SafetensorsFileTests : IDisposable
{
    private const string A = """ "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]} """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Name of the fault, header, bytes of data.</summary>
    public static TheoryData<string, string, int> BadHeaders => new()
    {
        { "empty header", "", 0 },
        { "array", "[]", 0 },
        { "leading space", " {}", 0 },
        { "byte-order mark", "\uFEFF{}", 0 },
        { "unclosed object", "{", 0 },
        { "unclosed entry", "{\"a\":{", 0 },
        { "unclosed string", "{\"a", 0 },
        { "two values", "{}{}", 0 },
        { "trailing text", "{}x", 0 },
        { "trailing NUL", "{}\0", 0 },
        { "trailing comma", "{" + A + ",}", 8 },
        { "comment", "{/* */}", 0 },
        { "single quotes", "{'a':1}", 0 },
        { "null entry", "{\"a\":null}", 0 },
        { "number entry", "{\"a\":1}", 0 },
        { "array entry", "{\"a\":[]}", 0 },
        { "empty entry", "{\"a\":{}}", 0 },
        { "no dtype", "{\"a\":{\"shape\":[],\"data_offsets\":[0,4]}}", 4 },
        { "no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4 },
        { "no offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 4 },
        { "unknown key", "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"x\":0}}", 4 },
        { "dtype twice", "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4 },
        { "unknown dtype", "{\"a\":{\"dtype\":\"F31\",\"shape\":[],\"data_offsets\":[0,4]}}", 4 },
        { "lower-case dtype", "{\"a\":{\"dtype\":\"f32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4 },
        { "numeric dtype", "{\"a\":{\"dtype\":32,\"shape\":[],\"data_offsets\":[0,4]}}", 4 },
        { "shape not an array", "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8 },
        { "nested shape", "{\"a\":{\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]}}", 8 },
        { "null dimension", "{\"a\":{\"dtype\":\"F32\",\"shape\":[null],\"data_offsets\":[0,8]}}", 8 },
        { "text dimension", "{\"a\":{\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]}}", 8 },
        { "fractional dimension", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8 },
        { "exponent", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2e0],\"data_offsets\":[0,8]}}", 8 },
        { "negative dimensions", "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2,-1],\"data_offsets\":[0,8]}}", 8 },
        { "dimension of 2^63", "{\"a\":{\"dtype\":\"U8\",\"shape\":[9223372036854775808],\"data_offsets\":[0,8]}}", 8 },
        { "product of 2^64", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0 },
        { "bytes of 2^64", "{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}", 0 },
        { "overflow before a zero", "{\"a\":{\"dtype\":\"F64\",\"shape\":[9223372036854775807,9,0],\"data_offsets\":[0,0]}}", 0 },
        { "half a byte", "{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2 },
        { "one offset", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8]}}", 8 },
        { "three offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8 },
        { "negative offset", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", 8 },
        { "reversed offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8 },
        { "offsets larger than the shape", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,12]}}", 12 },
        { "offsets smaller than the shape", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4 },
        { "hole at the start", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8 },
        { "hole inside", "{" + A + ",\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[12,16]}}", 16 },
        { "overlap", "{" + A + ",\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[4,12]}}", 12 },
        { "same bytes twice", "{" + A + ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8 },
        { "empty tensor beyond the end", "{" + A + ",\"b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[9,9]}}", 8 },
        { "data cut short", "{" + A + "}", 7 },
        { "data too long", "{" + A + "}", 9 },
        { "data without tensors", "{}", 1 },
        { "tensor twice", "{" + A + ",\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", 16 },
        { "tensor twice by escapes", "{" + A + ",\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", 16 },
        { "metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", 0 },
        { "metadata key twice", "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0 },
        { "metadata null", "{\"__metadata__\":null}", 0 },
        { "metadata number", "{\"__metadata__\":{\"k\":1}}", 0 },
        { "metadata nested", "{\"__metadata__\":{\"k\":{}}}", 0 },
        { "half a surrogate pair", "{\"\\ud800\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8 },
        { "half a pair in metadata", "{\"__metadata__\":{\"k\":\"\\udc00\"}}", 0 },
        { "deep nesting", "{\"a\":" + new string('[', 100_000), 0 },
        { "deep objects", "{" + string.Concat(Enumerable.Repeat("\"a\":{", 50_000)), 0 },
    };

    [Theory]
    [MemberData(nameof(BadHeaders))]
    public void A_header_that_breaks_a_rule_is_an_error(string fault, string header, int dataLength)
    {
        string path = _folder.File("bad.safetensors");
        File.WriteAllBytes(path, SafetensorsBytes.Make(header, dataLength));
        var exception = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path));
        Assert.StartsWith(path + ": ", exception.Message, StringComparison.Ordinal);
        Assert.True(exception.Message.Length < path.Length + 300 && !exception.Message.Contains('\n'), fault);
    }

    [Theory]
    [InlineData("")]
    [InlineData("02000000000000")]
    [InlineData("03000000000000007b7d")]
    [InlineData("ffffffffffffffff7b7d")]
    [InlineData("ffffffffffffff7f7b7d")]
    [InlineData("01e1f505000000007b7d")]
    [InlineData("0400000000000000 7b22ff7d")]
    [InlineData("4747554603000000 0000000000000000")]
    [InlineData("504b030414000000 0000000000000000")]
    public void A_file_that_is_not_safetensors_is_an_error(string hex)
    {
        string path = _folder.File("bad.safetensors");
        File.WriteAllBytes(path, Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path));
    }

    [Fact]
    public void Folders_and_absent_files_are_errors()
    {
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(_folder.Path));
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(_folder.File("absent")));
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(""));
    }

    [Theory]
    [InlineData("{}", 0)]
    [InlineData("{}      ", 0)]
    [InlineData("{" + A + "}", 8)]
    [InlineData("{\"b\":{\"data_offsets\":[8,12],\"shape\":[],\"dtype\":\"I32\"}," + A + "}", 12)]
    [InlineData("{\"e\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[8,8]}," + A + "}", 8)]
    [InlineData("{\"u\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
        + "\"f\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[3,7]}}", 7)]
    [InlineData("{\"h\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,2]}}", 2)]
    [InlineData("{\"\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1)]
    [InlineData("{\"__metadata__\":{\"k\":\"\\ud83d\\ude00\"}}", 0)]
    public void Unusual_headers_within_the_rules_are_accepted(string header, int dataLength) =>
        Assert.True(SafetensorsBytes.OpensAndReads(_folder.File("good.safetensors"), SafetensorsBytes.Make(header, dataLength)));

    [Fact]
    public void Messages_stay_on_one_line_for_any_name_of_a_tensor()
    {
        string path = _folder.File("bad.safetensors");
        string name = "\\n\\u2028" + new string('x', 1000);
        File.WriteAllBytes(path, SafetensorsBytes.Make("{" + SafetensorsBytes.Entry(name, "F99", "", "0,4") + "}", 4));
        string message = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path)).Message;
        Assert.DoesNotContain('\n', message);
        Assert.DoesNotContain('\u2028', message);
        Assert.True(message.Length < path.Length + 300);
    }

    [Fact]
    public void Parts_of_a_tensor_are_read_at_their_offsets()
    {
        string path = _folder.File("parts.safetensors");
        byte[] bytes = SafetensorsBytes.Make("{" + A + ",\"b\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[8,13]}}", 13);
        File.WriteAllBytes(path, bytes);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.True(file.TryGet("b", out TensorEntry b));
        byte[] part = new byte[3];
        file.Read(b, 2, part);
        Assert.Equal(bytes[^3..], part);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(b, 3, part));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(b, -1, part));
        Assert.Throws<ArgumentException>(() => file.Read(b, part));
        Assert.Throws<ArgumentException>(() => file.Read(b with { End = 16 }, 0, new byte[8]));
        Assert.False(file.TryGet("c", out _));
    }

    [Fact]
    public void A_file_cut_short_while_open_is_an_error_and_not_a_crash()
    {
        string path = _folder.File("cut.safetensors");
        File.WriteAllBytes(path, SafetensorsBytes.Make("{" + A + "}", 8));
        using SafetensorsFile file = SafetensorsFile.Open(path);
        using (FileStream stream = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.SetLength(stream.Length - 4);
        }

        var exception = Assert.Throws<SafetensorsException>(() => file.Read(file.Tensors[0], new byte[8]));
        Assert.Equal("a", exception.Tensor);
    }

    [Fact]
    public void A_flipped_bit_in_the_header_is_an_error_or_harmless()
    {
        string path = _folder.File("flip.safetensors");
        byte[] bytes = SafetensorsBytes.Make("{\"__metadata__\":{\"format\":\"pt\"}," + A + "}", 8);
        for (int bit = 0; bit < (bytes.Length - 8) * 8; bit++)
        {
            byte[] flipped = [.. bytes];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            SafetensorsBytes.OpensAndReads(path, flipped);
        }
    }

    [Fact]
    public void Mutated_files_open_or_give_a_safetensors_exception()
    {
        var random = new Random(20260101);
        string path = _folder.File("fuzz.safetensors");
        int opened = 0;
        for (int round = 0; round < 4000; round++)
        {
            opened += SafetensorsBytes.OpensAndReads(path, SafetensorsMutator.Next(random)) ? 1 : 0;
        }

        Assert.InRange(opened, 100, 3900);
    }
}
