using System.Runtime.InteropServices;

namespace Lingotto.Text;

/// <summary>Remembers the ids of short pieces. Bounded: when full it is emptied and fills again with what the text now holds.</summary>
internal sealed class PieceCache
{
    /// <summary>Longer pieces are rarely met twice.</summary>
    public const int MaxPieceBytes = 48;

    private const int MaxPieces = 1 << 16;

    private readonly ByteStringTable _pieces = new();
    private readonly List<int> _idEnds = [];
    private readonly List<int> _ids = [];

    /// <summary>Appends the ids of the piece when they are known.</summary>
    public bool TryAppend(ReadOnlySpan<byte> piece, List<int> ids)
    {
        int number = _pieces.Find(piece);
        if (number < 0)
        {
            return false;
        }

        int start = number == 0 ? 0 : _idEnds[number - 1];
        int count = _idEnds[number] - start;
        if (count == 1)
        {
            ids.Add(_ids[start]);
        }
        else
        {
            ids.AddRange(CollectionsMarshal.AsSpan(_ids).Slice(start, count));
        }

        return true;
    }

    public void Add(ReadOnlySpan<byte> piece, ReadOnlySpan<int> ids)
    {
        if (_pieces.Count == MaxPieces)
        {
            _pieces.Clear();
            _idEnds.Clear();
            _ids.Clear();
        }

        _pieces.GetOrAdd(piece, out _);
        _ids.AddRange(ids);
        _idEnds.Add(_ids.Count);
    }
}
