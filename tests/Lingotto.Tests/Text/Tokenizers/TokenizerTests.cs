using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public class TokenizerTests
{
    [Fact]
    public void Decode_of_encode_gives_the_text_back()
    {
        Tokenizer tokenizer = TestTokenizers.Small;
        Prop.ForAll<string?>(text =>
        {
            string wellFormed = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? ""));
            return tokenizer.Decode(tokenizer.EncodeOrdinary(text ?? "")) == wellFormed;
        }).QuickCheckThrowOnFailure();
        var random = new Random(31);
        for (int i = 0; i < 200; i++)
        {
            string text = TestTokenizers.RandomText(random, 300);
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        }
    }

    [Fact]
    public void Lone_surrogates_become_the_replacement_character() =>
        Assert.Equal("a\uFFFDb\uFFFD", TestTokenizers.Small.Decode(TestTokenizers.Small.Encode("a\uD800b\uDC00")));

    [Fact]
    public void Ill_formed_bytes_come_back_as_they_were()
    {
        byte[] bytes = [0xFF, (byte)'a', 0xC3, 0x28, 0xE4, 0xB8];
        var ids = new List<int>();
        TestTokenizers.Small.Encode(bytes, ids);
        Assert.Equal(bytes, ids.SelectMany(id => TestTokenizers.Small.TokenBytes(id).ToArray()));
    }

    [Fact]
    public void Added_tokens_are_found_in_text_but_not_in_ordinary_text()
    {
        Tokenizer tokenizer = TestTokenizers.Small;
        int[] ids = tokenizer.Encode("a<|endoftext|>b");
        Assert.Equal([.. tokenizer.Encode("a"), tokenizer.EndOfTextId, .. tokenizer.Encode("b")], ids);
        Assert.Equal("ab", tokenizer.Decode(ids));
        Assert.Equal("a<|endoftext|>b", tokenizer.Decode(ids, skipSpecial: false));
        Assert.DoesNotContain(tokenizer.EndOfTextId, tokenizer.EncodeOrdinary("a<|endoftext|>b"));
    }

    [Fact]
    public void Text_before_an_added_token_ends_there_for_the_pre_tokenizer()
    {
        Tokenizer tokenizer = TestTokenizers.Small;
        Assert.Equal([.. tokenizer.Encode("x  "), tokenizer.EndOfTextId], tokenizer.Encode("x  <|endoftext|>"));
    }

    [Fact]
    public void Flags_of_added_tokens_are_honoured()
    {
        AddedToken[] added =
        [
            new(256, "<|endoftext|>"), new(257, "<a>"), new(258, "<a>b"), new(259, "cat", SingleWord: true),
            new(260, "[L]", LStrip: true), new(261, "[R]", RStrip: true), new(262, "zz", Normalized: true, Special: false),
        ];
        string?[] bytes = [.. ByteLevelAlphabet.BytesInCharacterOrder.Select(value => ByteLevelAlphabet.ToCharacters([value]))];
        var tokenizer = new Tokenizer(new BpeVocabulary(bytes, [], added, IgnoreMerges: false));
        string Shown(string text) => string.Join(' ', tokenizer.Encode(text).Where(id => id >= 256));
        Assert.Equal("258 257", Shown("<a>b<a>c"));
        Assert.Equal("259 259", Shown("cat concat cat cats cat_"));
        Assert.Equal("x[L]y", tokenizer.Decode(tokenizer.Encode("x \n[L]y"), skipSpecial: false));
        Assert.Equal("x[R]y", tokenizer.Decode(tokenizer.Encode("x[R] \n y"), skipSpecial: false));
        Assert.Equal("xzzy", tokenizer.Decode(tokenizer.Encode("xzzy")));
        Assert.Equal("262", Shown("xzzy"));
    }

    [Fact]
    public void A_whole_piece_in_the_vocabulary_wins_when_merges_are_ignored()
    {
        string[] tokens = [.. ByteLevelAlphabet.BytesInCharacterOrder.Select(value => ByteLevelAlphabet.ToCharacters([value])), "abc"];
        AddedToken[] added = [new(257, "<|endoftext|>")];
        Assert.Equal([256], new Tokenizer(new BpeVocabulary(tokens, [], added, IgnoreMerges: true)).Encode("abc"));
        Assert.Equal(3, new Tokenizer(new BpeVocabulary(tokens, [], added, IgnoreMerges: false)).Encode("abc").Length);
    }

    [Fact]
    public void Ids_without_a_token_decode_to_nothing() =>
        Assert.Equal("", TestTokenizers.Small.Decode([-1, TestTokenizers.Small.VocabSize, int.MaxValue]));

    [Fact]
    public void A_stream_gives_the_same_text_and_never_half_a_character()
    {
        Tokenizer tokenizer = TestTokenizers.Small;
        var random = new Random(32);
        for (int i = 0; i < 100; i++)
        {
            int[] ids = i < 50
                ? tokenizer.Encode(TestTokenizers.RandomText(random, 100))
                : [.. Enumerable.Range(0, 100).Select(_ => random.Next(tokenizer.VocabSize))];
            var stream = new TokenStream(tokenizer);
            string[] parts = [.. ids.Select(stream.Append), stream.Flush()];
            Assert.Equal(tokenizer.Decode(ids), string.Concat(parts));
            if (i < 50)
            {
                Assert.All(parts.SkipLast(1), part => Assert.DoesNotContain('\uFFFD', part));
            }
        }
    }

    [Fact]
    public void An_incomplete_character_is_held_back_until_flushed()
    {
        var stream = new TokenStream(TestTokenizers.Small);
        int[] euro = TestTokenizers.Small.Encode("\u20ac");
        Assert.Equal(3, euro.Length);
        Assert.Equal(["", "", "\u20ac"], euro.Select(stream.Append));
        Assert.Equal("", stream.Append(euro[0]));
        Assert.Equal("\uFFFD", stream.Flush());
    }

    [Fact]
    public void Several_threads_encode_alike()
    {
        string text = TestTokenizers.RandomText(new Random(33), 20_000);
        int[] expected = TestTokenizers.Small.Encode(text);
        Parallel.For(0, 8, _ => Assert.Equal(expected, TestTokenizers.Small.Encode(text)));
    }

    [Fact]
    public void A_full_piece_cache_does_not_change_the_ids()
    {
        var random = new Random(34);
        string text = string.Join(' ', Enumerable.Range(0, 150_000)
            .Select(_ => (char)('a' + random.Next(26)) + Convert.ToHexString(BitConverter.GetBytes(random.Next()))));
        Assert.Equal(text, TestTokenizers.Small.Decode(TestTokenizers.Small.Encode(text)));
    }
}
