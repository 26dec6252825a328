namespace Lingotto.Text;

/// <summary>Takes a share of documents, each by its content alone: hash(document, seed) / 2^64 &lt; fraction.</summary>
internal sealed class ContentSample(double fraction, int seed)
{
    private readonly UInt128 _limit = (UInt128)(fraction * Math.Pow(2, 64));

    /// <summary>A number that orders documents; the smallest are taken first.</summary>
    public ulong KeyOf(UInt128 textHash) => HashMixer.Mix((ulong)textHash ^ HashMixer.Mix((uint)seed));

    public bool Takes(ulong key) => key < _limit;

    public bool Takes(UInt128 textHash) => Takes(KeyOf(textHash));
}
