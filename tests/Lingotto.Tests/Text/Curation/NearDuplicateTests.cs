using System.Text.RegularExpressions;
using Lingotto.Text;
using Xunit;
using Xunit.Abstractions;

namespace Lingotto.Tests.Text;

/// <summary>
/// Pairs of texts whose Jaccard index is computed from its definition decide what must be found and what must stay. One test
/// measures the memory of the whole process, so that no other test may run at the same time.
/// </summary>
[Collection(nameof(AllocationTests))]
public sealed partial class NearDuplicateTests(ITestOutputHelper output)
{
    private const int Pairs = 4000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Near_duplicates_are_found_and_other_texts_stay(bool isChinese)
    {
        var random = new Random(81);
        var judge = new DocumentJudge(new DataBuildConfig { Clean = false });
        var index = new DuplicateIndex(64 << 20);
        var copies = new List<(Signature Copy, double Jaccard)>();
        for (int i = 0; i < Pairs; i++)
        {
            string[] words = RandomWords(random, 40 + random.Next(400), isChinese);
            string original = Join(words, isChinese), copy = Join(Edited(words, random, isChinese), isChinese);
            Assert.Null(index.Add(Sign(judge, original)));
            copies.Add((Sign(judge, copy), Jaccard(original, copy, isChinese)));
        }

        (int near, int found, int far, int removed, double closest) = (0, 0, 0, 0, 0);
        foreach ((Signature copy, double jaccard) in copies)
        {
            bool isRemoved = index.Add(copy) is not null;
            if (jaccard >= 0.8)
            {
                (near, found) = (near + 1, found + (isRemoved ? 1 : 0));
            }

            if (jaccard < 0.5)
            {
                (far, removed, closest) = (far + 1, removed + (isRemoved ? 1 : 0), Math.Max(closest, jaccard));
            }
        }

        output.WriteLine(FormattableString.Invariant(
            $"{near} pairs, {100.0 * found / near:F2} % found; {far} below 0.5 ({closest:F3}), {100.0 * removed / far:F2} % removed"));
        Assert.True(near > 500 && far > 500, $"{near} near and {far} far pairs are too few to tell");
        Assert.True(found >= 0.95 * near, $"{found} of {near} found");
        Assert.True(removed < 0.01 * far, $"{removed} of {far} removed");
    }

    [Fact]
    public void The_estimate_is_without_bias_and_as_sharp_as_128_functions_can_be()
    {
        var random = new Random(82);
        var judge = new DocumentJudge(new DataBuildConfig { Clean = false });
        var errors = new List<double>();
        while (errors.Count < 1500)
        {
            string[] words = RandomWords(random, 200, isChinese: false);
            string original = Join(words, isChinese: false), copy = Join(Edited(words, random, isChinese: false), isChinese: false);
            errors.Add(MinHash.Similarity(Sign(judge, original).Fingerprint, Sign(judge, copy).Fingerprint) - Jaccard(
                original, copy, isChinese: false));
        }

        // The standard deviation of a share of 128 is at most 0.5 / sqrt(128) = 0.044; the mean of 1500 is within 4 of its own.
        Assert.InRange(errors.Average(), -0.0046, 0.0046);
        Assert.InRange(Math.Sqrt(errors.Average(e => e * e)), 0.015, 0.044);
    }

    [Fact]
    public void Case_and_punctuation_do_not_make_a_new_text()
    {
        var judge = new DocumentJudge(new DataBuildConfig { Clean = false });
        Assert.True(IsRemovedAfter(judge, "The quick brown fox, it jumps over the lazy dog.",
            "the quick  BROWN fox - it jumps over\nthe lazy dog"));
        Assert.False(IsRemovedAfter(judge, "one two three", "one two four"));
        Assert.False(IsRemovedAfter(judge, "!!! ??? ...", "### $$$ %%%"));
    }

    [Fact]
    public void An_index_of_little_memory_forgets_the_oldest_and_says_so()
    {
        var random = new Random(83);
        var judge = new DocumentJudge(new DataBuildConfig { Clean = false });
        Signature[] texts = [.. Enumerable.Range(0, 1000)
            .Select(_ => Sign(judge, Join(RandomWords(random, 60, isChinese: false), isChinese: false)))];
        var index = new DuplicateIndex(200L * DuplicateIndex.BytesPerDocument);
        Assert.All(texts, text => Assert.Null(index.Add(text)));
        Assert.Equal(800, index.Forgotten);
        Assert.All(texts[^150..], text => Assert.Equal(Reasons.ExactDuplicate, index.Add(text)));
        Assert.Null(index.Add(texts[0]));
    }

    [Fact]
    public void A_document_takes_no_more_memory_than_is_stated()
    {
        var random = new Random(84);
        const int count = 100_000;
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var index = new DuplicateIndex(long.MaxValue);
        var keys = new uint[MinHash.Bands];
        var fingerprint = new byte[MinHash.FingerprintLength];
        for (int i = 0; i < count; i++)
        {
            random.NextBytes(fingerprint);
            for (int band = 0; band < keys.Length; band++)
            {
                keys[band] = (uint)random.NextInt64();
            }

            Assert.Null(index.Add(new Signature((UInt128)i, keys, fingerprint)));
        }

        long bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(index);
        Assert.InRange(bytes / count, 1, DuplicateIndex.BytesPerDocument);
    }

    private static bool IsRemovedAfter(DocumentJudge judge, string original, string copy)
    {
        var index = new DuplicateIndex(1 << 20);
        Assert.Null(index.Add(Sign(judge, original)));
        return index.Add(Sign(judge, copy)) is not null;
    }

    private static Signature Sign(DocumentJudge judge, string text) =>
        judge.Judge(judge.Clean(new DocumentBatch(0, [new Document(text, "x")])))[0].Signature!;

    /// <summary>Words of a Zipf-like distribution, as text has them.</summary>
    private static string[] RandomWords(Random random, int count, bool isChinese) =>
        [.. Enumerable.Range(0, count).Select(_ => Word((int)(20_000 * Math.Pow(random.NextDouble(), 3)), isChinese))];

    private static string Word(int number, bool isChinese) =>
        isChinese ? ((char)(0x4E00 + number)).ToString() : $"w{number:x}";

    private static string Join(string[] words, bool isChinese) => string.Join(isChinese ? "" : " ", words);

    /// <summary>Words replaced, inserted and removed here and there, or a part at one end cut off.</summary>
    private static string[] Edited(string[] words, Random random, bool isChinese)
    {
        if (random.Next(4) == 0)
        {
            return words[..(words.Length - (int)(words.Length * 0.7 * random.NextDouble()))];
        }

        double rate = 0.2 * Math.Pow(random.NextDouble(), 2);
        var edited = new List<string>();
        foreach (string word in words)
        {
            int kind = random.NextDouble() < rate ? random.Next(3) : 3;
            if (kind != 0)
            {
                edited.Add(kind == 1 ? Word(random.Next(20_000), isChinese) : word);
            }

            if (kind == 2)
            {
                edited.Add(Word(random.Next(20_000), isChinese));
            }
        }

        return [.. edited];
    }

    /// <summary>Straight from the definition, over strings.</summary>
    private static double Jaccard(string a, string b, bool isChinese)
    {
        HashSet<string> first = Shingles(a, isChinese), second = Shingles(b, isChinese);
        int both = first.Count(second.Contains);
        return both / (double)(first.Count + second.Count - both);
    }

    private static HashSet<string> Shingles(string text, bool isChinese)
    {
        string[] words = isChinese
            ? [.. text.EnumerateRunes().Select(rune => rune.ToString())]
            : [.. WordPattern().Matches(text).Select(match => match.Value)];
        return [.. Enumerable.Range(0, Math.Max(1, words.Length - 4)).Select(i => string.Join(' ', words.Skip(i).Take(5)))];
    }

    [GeneratedRegex(@"\w+")]
    private static partial Regex WordPattern();
}
