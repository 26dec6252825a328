using System.Diagnostics;
using System.Text;
using Lingotto.Text;

namespace Lingotto.Diagnostics;

/// <summary>BPE training on the default corpus and encoding of 30 MB of it after a warm-up, one thread.</summary>
internal static class TokenizerMeasurement
{
    private const int VocabSize = 4096, EncodedBytes = 30_000_000;

    public static BenchTokenizer Run(IReadOnlyList<string> paths, Action<string> progress)
    {
        progress("reading text");
        string[] documents = [.. Corpus.Read(paths).Select(document => document.Text)];
        progress("training a tokenizer");
        long start = Stopwatch.GetTimestamp();
        Tokenizer tokenizer = BpeTrainer.Train(documents, new BpeTrainerConfig(VocabSize));
        double trainSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        byte[][] texts = [.. documents.Select(Encoding.UTF8.GetBytes)];
        var ids = new List<int>(1 << 20);
        progress("encoding");
        Encode(tokenizer, texts, ids, EncodedBytes / 4);
        start = Stopwatch.GetTimestamp();
        long encoded = Encode(tokenizer, texts, ids, EncodedBytes);
        double encodeSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new BenchTokenizer(VocabSize, trainSeconds, texts.Sum(text => (long)text.Length) / 1e6, encoded / encodeSeconds / 1e6);
    }

    private static long Encode(Tokenizer tokenizer, byte[][] texts, List<int> ids, long bytes)
    {
        long done = 0;
        for (int i = 0; done < bytes; i = (i + 1) % texts.Length)
        {
            ids.Clear();
            tokenizer.EncodeOrdinary(texts[i], ids);
            done += texts[i].Length;
        }

        return done;
    }
}
