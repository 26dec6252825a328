namespace Lingotto.Text;

/// <summary>One band's keys and the documents that have them: open addressing over 8-byte places.</summary>
internal sealed class BandTable
{
    /// <summary>
    /// More documents of one key are not remembered: a phrase in thousands of texts must not cost thousands of comparisons
    /// each.
    /// </summary>
    public const int MaxDocumentsOfKey = 8;

    private const int FirstPlaces = 1 << 10;

    // Key in the upper half, document + 1 in the lower; 0 is free.
    private ulong[] _places = new ulong[FirstPlaces];
    private int _count;

    /// <summary>Writes the documents of a key; returns how many.</summary>
    public int Find(uint key, Span<int> documents)
    {
        int found = 0;
        for (int at = First(key); _places[at] != 0; at = (at + 1) & (_places.Length - 1))
        {
            if ((uint)(_places[at] >> 32) == key && found < documents.Length)
            {
                documents[found++] = (int)(uint)_places[at] - 1;
            }
        }

        return found;
    }

    public void Add(uint key, int document)
    {
        if (_count >= _places.Length / 4 * 3)
        {
            Grow();
        }

        int same = 0, at = First(key);
        for (; _places[at] != 0; at = (at + 1) & (_places.Length - 1))
        {
            if ((uint)(_places[at] >> 32) == key && ++same == MaxDocumentsOfKey)
            {
                return;
            }
        }

        _places[at] = ((ulong)key << 32) | (uint)(document + 1);
        _count++;
    }

    private int First(uint key) => (int)(key & (uint)(_places.Length - 1));

    private void Grow()
    {
        ulong[] old = _places;
        _places = new ulong[old.Length * 2];
        foreach (ulong place in old)
        {
            if (place == 0)
            {
                continue;
            }

            int at = First((uint)(place >> 32));
            while (_places[at] != 0)
            {
                at = (at + 1) & (_places.Length - 1);
            }

            _places[at] = place;
        }
    }
}
