using System.IO.Hashing;

namespace Lingotto.Formats;

/// <summary>The <see cref="ContentHash"/> of bytes while they are written; known only if they come in order.</summary>
internal sealed class RunningHash
{
    private readonly XxHash128 _hash = new();
    private long _end;

    public void Add(long offset, ReadOnlySpan<byte> data)
    {
        if (offset != _end)
        {
            _end = -1;
            return;
        }

        _hash.Append(data);
        _end += data.Length;
    }

    /// <summary>Null if the bytes came out of order.</summary>
    public string? Result => _end < 0 ? null : Convert.ToHexStringLower(_hash.GetCurrentHash());
}
