using System.Text;

namespace Lingotto.Text;

/// <summary>The bytes of every token, in one arena.</summary>
internal sealed class TokenByteTable
{
    private readonly byte[] _arena;
    private readonly int[] _starts;
    private readonly bool[] _isSpecial;

    public TokenByteTable(BpeVocabulary vocabulary)
    {
        Dictionary<int, AddedToken> added = vocabulary.AddedTokens.ToDictionary(token => token.Id);
        int count = Math.Max(vocabulary.Tokens.Length, added.Count == 0 ? 0 : added.Keys.Max() + 1);
        _starts = new int[count + 1];
        _isSpecial = new bool[count];
        var arena = new MemoryStream();
        for (int id = 0; id < count; id++)
        {
            string? token = id < vocabulary.Tokens.Length ? vocabulary.Tokens[id] : null;
            if (added.TryGetValue(id, out AddedToken? addedToken))
            {
                arena.Write(Encoding.UTF8.GetBytes(addedToken.Content));
                _isSpecial[id] = addedToken.Special;
            }
            else if (token is not null)
            {
                arena.Write(ByteLevelAlphabet.TryToBytes(token, out byte[] bytes) ? bytes : Encoding.UTF8.GetBytes(token));
            }

            _starts[id + 1] = checked((int)arena.Length);
        }

        _arena = arena.ToArray();
    }

    public int Count => _isSpecial.Length;

    public ReadOnlySpan<byte> this[int id] =>
        (uint)id < (uint)Count ? _arena.AsSpan(_starts[id], _starts[id + 1] - _starts[id]) : default;

    public bool IsSpecial(int id) => (uint)id < (uint)Count && _isSpecial[id];
}
