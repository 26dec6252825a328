namespace Lingotto.Text;

/// <summary>Remembers the documents kept so far and finds exact and near duplicates among them, in bounded memory.</summary>
/// <remarks>
/// Two generations of equal capacity: when the younger is full, the older is forgotten. Beyond the capacity a duplicate is thus
/// found only among the documents shortly before it; <see cref="Forgotten"/> counts the forgotten documents.
/// </remarks>
internal sealed class DuplicateIndex
{
    /// <summary>
    /// The maximum bytes of a document: 128 for the fingerprint, 20 bands of 8-byte places at a load of three eighths at least,
    /// 64 for the exact hash in a set that has just doubled.
    /// </summary>
    public const int BytesPerDocument = 128 + (MinHash.Bands * 8 * 8 / 3) + 64;

    /// <summary>The estimate from which on a document is a near duplicate. Pairs of 0.8 fall below it once in 400 times.</summary>
    public const double NearDuplicate = 0.7;

    private readonly int _capacity;
    private Generation _young = new();
    private Generation? _old;

    public DuplicateIndex(long memoryBytes) => _capacity = (int)Math.Clamp(memoryBytes / BytesPerDocument / 2, 1, 1 << 30);

    /// <summary>Forgotten documents: later documents are no longer compared with them.</summary>
    public long Forgotten { get; private set; }

    /// <summary>The reason to leave a document out; null when it is new, and from now on remembered.</summary>
    public string? Add(Signature signature)
    {
        if (_young.HasEqual(signature) || _old?.HasEqual(signature) == true)
        {
            return Reasons.ExactDuplicate;
        }

        if (_young.HasSimilar(signature) || _old?.HasSimilar(signature) == true)
        {
            return Reasons.NearDuplicate;
        }

        if (_young.Count >= _capacity)
        {
            Forgotten += _old?.Count ?? 0;
            (_old, _young) = (_young, new Generation());
        }

        _young.Add(signature);
        return null;
    }

    private sealed class Generation
    {
        private const int DocumentsInBlock = 1 << 12;

        private readonly HashSet<UInt128> _hashes = [];
        private readonly BandTable[] _bands = [.. Enumerable.Range(0, MinHash.Bands).Select(_ => new BandTable())];
        private readonly List<byte[]> _fingerprints = [];
        private int _signed;

        public int Count => _hashes.Count;

        public bool HasEqual(Signature signature) => _hashes.Contains(signature.Hash);

        public bool HasSimilar(Signature signature)
        {
            Span<int> documents = stackalloc int[BandTable.MaxDocumentsOfKey];
            for (int band = 0; band < signature.Keys.Length; band++)
            {
                int found = _bands[band].Find(signature.Keys[band], documents);
                foreach (int document in documents[..found])
                {
                    if (MinHash.Similarity(signature.Fingerprint, FingerprintOf(document)) >= NearDuplicate)
                    {
                        return true;
                    }
                }
            }

            return false;
        }

        public void Add(Signature signature)
        {
            _hashes.Add(signature.Hash);
            if (signature.Keys.Length == 0)
            {
                return;
            }

            if (_signed % DocumentsInBlock == 0)
            {
                _fingerprints.Add(new byte[DocumentsInBlock * MinHash.FingerprintLength]);
            }

            signature.Fingerprint.CopyTo(FingerprintOf(_signed));
            for (int band = 0; band < signature.Keys.Length; band++)
            {
                _bands[band].Add(signature.Keys[band], _signed);
            }

            _signed++;
        }

        private Span<byte> FingerprintOf(int document) => _fingerprints[document / DocumentsInBlock]
            .AsSpan(document % DocumentsInBlock * MinHash.FingerprintLength, MinHash.FingerprintLength);
    }
}
