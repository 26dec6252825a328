namespace Lingotto.Text;

/// <summary>Decides from its content alone whether a document is held out: hash(document, seed) / 2^64 &lt; fraction.</summary>
internal sealed class HeldOutRule(double fraction, int seed)
{
    private readonly UInt128 _limit = (UInt128)(fraction * Math.Pow(2, 64));

    /// <summary>A number that orders documents; the smallest are held out first.</summary>
    public ulong KeyOf(UInt128 textHash) => SampleOrder.Mix((ulong)textHash ^ SampleOrder.Mix((uint)seed));

    public bool IsHeldOut(ulong key) => key < _limit;
}
