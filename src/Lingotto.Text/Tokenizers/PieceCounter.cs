using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Lingotto.Text;

/// <summary>How often each distinct piece occurs in a corpus.</summary>
internal sealed class PieceCounter
{
    private readonly ByteStringTable _pieces = new();
    private readonly List<long> _counts = [];

    public int Count => _pieces.Count;

    public long Utf8Bytes { get; private set; }

    public ReadOnlySpan<byte> Piece(int number) => _pieces[number];

    public long CountOf(int number) => _counts[number];

    public void Add(string document)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(document.Length));
        ReadOnlySpan<byte> utf8 = rented.AsSpan(0, Encoding.UTF8.GetBytes(document, rented));
        Utf8Bytes += utf8.Length;
        for (int start = 0, end; start < utf8.Length; start = end)
        {
            end = LingPreTokenizer.PieceEnd(utf8, start);
            int number = _pieces.GetOrAdd(utf8[start..end], out bool isNew);
            if (isNew)
            {
                _counts.Add(1);
            }
            else
            {
                CollectionsMarshal.AsSpan(_counts)[number]++;
            }
        }

        ArrayPool<byte>.Shared.Return(rented);
    }
}
