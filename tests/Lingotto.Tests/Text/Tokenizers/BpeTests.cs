using System.Text;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public class BpeTests
{
    [Fact]
    public void Scan_and_heap_merge_like_the_definition()
    {
        var random = new Random(21);
        for (int trial = 0; trial < 400; trial++)
        {
            (int Left, int Right, int Merged)[] merges = RandomMerges(random, baseCount: 4, count: 30);
            var merger = new BpeMerger(new MergeTable(merges));
            int[] piece = [.. Enumerable.Range(0, random.Next(1, 90)).Select(_ => random.Next(4))];
            int[] expected = MergeByDefinition(piece, merges);
            int[] scanned = [.. piece], heaped = [.. piece];
            Assert.Equal(expected, scanned[..merger.MergeByScan(scanned)]);
            Assert.Equal(expected, heaped[..merger.MergeByHeap(heaped)]);
        }
    }

    [Fact]
    public void A_million_letters_in_a_row_encode_in_seconds()
    {
        string text = string.Concat(Enumerable.Repeat("thequickbrownfox", 65536));
        long start = Environment.TickCount64;
        Assert.Equal(text, TestTokenizers.Small.Decode(TestTokenizers.Small.Encode(text)));
        Assert.True(Environment.TickCount64 - start < 10_000);
    }

    [Fact]
    public void The_trainer_learns_what_recounting_every_pair_at_every_step_learns()
    {
        var random = new Random(22);
        string[] documents = [.. Enumerable.Range(0, 20)
            .Select(_ => new string([.. Enumerable.Range(0, 300).Select(_ => "aab bc"[random.Next(6)])]))];
        Tokenizer tokenizer = BpeTrainer.Train(documents, new BpeTrainerConfig(256 + 6 + 60));
        Assert.Equal(TrainByDefinition(documents, 60),
            Enumerable.Range(256, 60).Select(id => Encoding.UTF8.GetString(tokenizer.TokenBytes(id))));
    }

    [Fact]
    public void Training_does_not_depend_on_the_order_of_documents()
    {
        var random = new Random(23);
        string[] documents = [.. Enumerable.Range(0, 30).Select(_ => TestTokenizers.RandomText(random, 200))];
        var config = new BpeTrainerConfig(600);
        Assert.Equal(BpeTrainer.Train(documents, config).Fingerprint(), BpeTrainer.Train(documents.Reverse(), config).Fingerprint());
    }

    [Fact]
    public void A_vocabulary_is_bytes_then_merges_then_special_tokens()
    {
        Tokenizer tokenizer = TestTokenizers.Small;
        Assert.Equal(380, tokenizer.VocabSize);
        Assert.Equal(256, Enumerable.Range(0, 256).Select(id => tokenizer.TokenBytes(id)[0]).Distinct().Count());
        Assert.Equal("!"u8.ToArray(), tokenizer.TokenBytes(0).ToArray());
        Assert.True(tokenizer.TryGetId("<|startoftext|>", out int start));
        Assert.Equal((374, 375), (start, tokenizer.EndOfTextId));
    }

    [Fact]
    public void Too_little_text_for_the_vocabulary_gives_the_size_that_is_possible()
    {
        var fault = Assert.Throws<InvalidDataException>(() => BpeTrainer.Train(["abab"], new BpeTrainerConfig(1000)));
        Assert.Contains("264", fault.Message);
        Assert.Equal(264, BpeTrainer.Train(["abab"], new BpeTrainerConfig(264)).VocabSize);
    }

    [Fact]
    public void A_vocabulary_smaller_than_bytes_and_special_tokens_is_an_error() =>
        Assert.Contains("262", Assert.Throws<ArgumentException>(() => BpeTrainer.Train([], new BpeTrainerConfig(200))).Message);

    [Fact]
    public void Training_can_be_cancelled() => Assert.Throws<OperationCanceledException>(
        () => BpeTrainer.Train(["some text"], new BpeTrainerConfig(270), progress: null, new CancellationToken(canceled: true)));

    private static (int, int, int)[] RandomMerges(Random random, int baseCount, int count)
    {
        var merges = new Dictionary<(int, int), int>();
        for (int next = baseCount; merges.Count < count; next++)
        {
            if (!merges.TryAdd((random.Next(next), random.Next(next)), next))
            {
                next--;
            }
        }

        // Ranks in another order than ids, as a merged or hand-made vocabulary may have them.
        return [.. merges.Select(merge => (merge.Key.Item1, merge.Key.Item2, merge.Value)).OrderBy(_ => random.Next())];
    }

    private static int[] MergeByDefinition(int[] piece, (int Left, int Right, int Merged)[] merges)
    {
        var ids = piece.ToList();
        while (true)
        {
            int Rank(int i) => Array.FindIndex(merges, merge => merge.Left == ids[i] && merge.Right == ids[i + 1]);
            var found = Enumerable.Range(0, ids.Count - 1).Select(i => (Rank: Rank(i), i)).Where(pair => pair.Rank >= 0).ToList();
            if (found.Count == 0)
            {
                return [.. ids];
            }

            (int rank, int at) = found.Min();
            ids[at] = merges[rank].Merged;
            ids.RemoveAt(at + 1);
        }
    }

    private static List<string> TrainByDefinition(string[] documents, int mergeCount)
    {
        int IdOf(char c) => c == ' ' ? 220 : c - '!'; // the alphabet writes a space as the character 256 + 32
        List<List<int>> words = [.. documents.SelectMany(Cut).Select(word => word.Select(IdOf).ToList())];
        var texts = Enumerable.Range(0, 256).Select(id => id == 220 ? " " : ((char)(id + '!')).ToString()).ToList();
        for (int merged = 256; merged < 256 + mergeCount; merged++)
        {
            (int left, int right) = words.SelectMany(word => word.Zip(word.Skip(1))).GroupBy(pair => pair)
                .OrderByDescending(group => group.Count()).ThenBy(group => group.Key.First).ThenBy(group => group.Key.Second).First().Key;
            texts.Add(texts[left] + texts[right]);
            foreach (List<int> word in words)
            {
                for (int i = 0; i + 1 < word.Count; i++)
                {
                    if (word[i] != left || word[i + 1] != right)
                    {
                        continue;
                    }

                    word[i] = merged;
                    word.RemoveAt(i + 1);
                }
            }
        }

        return texts[256..];
    }

    private static IEnumerable<string> Cut(string document)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(document);
        for (int start = 0, end; start < utf8.Length; start = end)
        {
            end = LingPreTokenizer.PieceEnd(utf8, start);
            yield return Encoding.UTF8.GetString(utf8, start, end - start);
        }
    }
}
