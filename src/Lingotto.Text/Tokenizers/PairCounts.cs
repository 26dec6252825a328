using System.Runtime.InteropServices;

namespace Lingotto.Text;

/// <summary>Counts of adjacent token pairs over all words, kept right while pairs merge.</summary>
/// <remarks>
/// A merge visits only the words that hold the pair. The heap holds a pair with the count it had when it was offered; an entry
/// whose count has changed since is offered again with the right one.
/// </remarks>
internal sealed class PairCounts
{
    private readonly int[] _symbols;
    private readonly Word[] _words;
    private readonly Dictionary<long, Pair> _pairs = [];
    private readonly PriorityQueue<long, (long NegatedCount, long Pair)> _heap = new();
    private readonly List<long> _touched = [];

    public PairCounts(PieceCounter pieces, byte[] bytesById)
    {
        var idOfByte = new int[256];
        for (int id = 0; id < bytesById.Length; id++)
        {
            idOfByte[bytesById[id]] = id;
        }

        _words = new Word[pieces.Count];
        var symbols = new List<int>();
        for (int i = 0; i < _words.Length; i++)
        {
            _words[i] = new Word { Start = symbols.Count, Length = pieces.Piece(i).Length, Count = pieces.CountOf(i) };
            foreach (byte value in pieces.Piece(i))
            {
                symbols.Add(idOfByte[value]);
            }
        }

        _symbols = [.. symbols];
        for (int i = 0; i < _words.Length; i++)
        {
            ReadOnlySpan<int> word = Symbols(_words[i]);
            for (int k = 0; k + 1 < word.Length; k++)
            {
                Add(Pack(word[k], word[k + 1]), _words[i].Count, i);
            }
        }

        OfferTouched();
    }

    /// <summary>Merges the most frequent pair, the smaller ids on ties; false when no pair is left.</summary>
    public bool TryMergeMostFrequent(int merged, out int left, out int right)
    {
        (left, right) = (0, 0);
        while (_heap.TryDequeue(out long pair, out (long NegatedCount, long Pair) offered))
        {
            if (!_pairs.TryGetValue(Key(pair), out Pair? counted))
            {
                continue;
            }

            if (counted.Count != -offered.NegatedCount)
            {
                Offer(pair, counted.Count);
                continue;
            }

            (left, right) = ((int)(pair >> 32), (int)pair);
            _pairs.Remove(Key(pair));
            foreach (int word in CollectionsMarshal.AsSpan(counted.Words))
            {
                MergeInWord(word, left, right, merged);
            }

            OfferTouched();
            return true;
        }

        return false;
    }

    private void MergeInWord(int number, int left, int right, int merged)
    {
        ref Word word = ref _words[number];
        Span<int> symbols = Symbols(word);
        int kept = 0;
        for (int i = 0; i < symbols.Length; i++)
        {
            if (symbols[i] != left || i + 1 == symbols.Length || symbols[i + 1] != right)
            {
                symbols[kept++] = symbols[i];
                continue;
            }

            if (kept > 0)
            {
                Remove(Pack(symbols[kept - 1], left), word.Count);
                Add(Pack(symbols[kept - 1], merged), word.Count, number);
            }

            if (i + 2 < symbols.Length)
            {
                Remove(Pack(right, symbols[i + 2]), word.Count);
                Add(Pack(merged, symbols[i + 2]), word.Count, number);
            }

            symbols[kept++] = merged;
            i++;
        }

        word.Length = kept;
    }

    private Span<int> Symbols(Word word) => _symbols.AsSpan(word.Start, word.Length);

    private void Add(long pair, long count, int word)
    {
        ref Pair? counted = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, Key(pair), out _);
        counted ??= new Pair();
        counted.Count += count;
        if (counted.Words.Count == 0 || counted.Words[^1] != word)
        {
            counted.Words.Add(word);
        }

        if (!counted.IsTouched)
        {
            counted.IsTouched = true;
            _touched.Add(pair);
        }
    }

    // The pair being merged is gone from the table already.
    private void Remove(long pair, long count)
    {
        if (_pairs.TryGetValue(Key(pair), out Pair? counted))
        {
            counted.Count -= count;
        }
    }

    private void OfferTouched()
    {
        foreach (long pair in _touched)
        {
            Pair counted = _pairs[Key(pair)];
            counted.IsTouched = false;
            Offer(pair, counted.Count);
        }

        _touched.Clear();
    }

    private void Offer(long pair, long count)
    {
        if (count > 0)
        {
            _heap.Enqueue(pair, (-count, pair));
        }
        else
        {
            _pairs.Remove(Key(pair));
        }
    }

    /// <summary>
    /// Spreads a pair over 64 bits: a long hashes to the exclusive or of its halves, and ids are small, so that raw pairs collide by
    /// the hundred.
    /// </summary>
    private static long Key(long pair) => pair * unchecked((long)0x9E3779B97F4A7C15);

    private static long Pack(int left, int right) => ((long)left << 32) | (uint)right;

    private struct Word
    {
        public int Start;
        public int Length;
        public long Count;
    }

    private sealed class Pair
    {
        public long Count;
        public bool IsTouched;
        public List<int> Words { get; } = [];
    }
}
