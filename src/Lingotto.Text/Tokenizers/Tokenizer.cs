using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Lingotto.Formats;

namespace Lingotto.Text;

/// <summary>
/// Encodes text to token ids and decodes ids: byte-level BPE with the Ling pre-tokenizer, as a tokenizer.json describes it.
/// </summary>
/// <remarks>
/// Any text can be encoded and comes back unchanged, except that lone surrogates become U+FFFD first. Instances are immutable
/// and may be used from several threads.
/// </remarks>
public sealed class Tokenizer
{
    /// <summary>The token that ends a text.</summary>
    public const string EndOfText = "<|endoftext|>";

    private readonly BpeVocabulary _vocabulary;
    private readonly TokenByteTable _bytes;
    private readonly MergeTable _merges;
    private readonly int[] _idOfByte;
    private readonly ByteStringTable? _wholePieces;
    private readonly List<int> _wholePieceIds = [];
    private readonly AddedTokenMatcher[] _addedTokenPasses;
    private readonly Dictionary<string, int> _addedIds;
    private readonly ConcurrentBag<Workspace> _workspaces = [];

    internal Tokenizer(BpeVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _bytes = new TokenByteTable(vocabulary);
        _merges = new MergeTable(vocabulary.Merges);
        _idOfByte = FindBytes(vocabulary);
        _addedTokenPasses =
        [
            new AddedTokenMatcher(vocabulary.AddedTokens.Where(token => !token.Normalized)),
            new AddedTokenMatcher(vocabulary.AddedTokens.Where(token => token.Normalized)),
        ];
        _addedIds = vocabulary.AddedTokens.ToDictionary(token => token.Content, token => token.Id);
        if (!TryGetId(EndOfText, out int endOfTextId))
        {
            throw new InvalidDataException($"the vocabulary has no {EndOfText}: add it to added_tokens");
        }

        EndOfTextId = endOfTextId;
        if (vocabulary.IgnoreMerges)
        {
            _wholePieces = IndexWholePieces();
        }
    }

    /// <summary>The number of ids: the highest one plus 1.</summary>
    public int VocabSize => _bytes.Count;

    /// <summary>The id of <c>&lt;|endoftext|&gt;</c>, which ends a document.</summary>
    public int EndOfTextId { get; }

    /// <summary>Reads a tokenizer.json.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or uses a feature that this tokenizer lacks.</exception>
    public static Tokenizer Load(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path}: no such tokenizer.json; check the path or train one", path);
        }

        try
        {
            return new Tokenizer(TokenizerJsonReader.Read(File.ReadAllBytes(path)));
        }
        catch (InvalidDataException fault)
        {
            // Tokens in the message may hold line feeds; a message is one line.
            throw new InvalidDataException($"{path}: {fault.Message.ReplaceLineEndings(" ")}", fault);
        }
    }

    /// <summary>
    /// Writes a tokenizer.json that this class and the Hugging Face libraries load; the file appears whole or not at all.
    /// </summary>
    public void Save(string path) => DurableFile.WriteAllBytes(path, ToJson());

    /// <summary>The SHA-256 of the saved form, in hexadecimal: equal for tokenizers that encode alike.</summary>
    public string Fingerprint() => Convert.ToHexStringLower(SHA256.HashData(ToJson()));

    /// <summary>The id of a token that was added to the vocabulary, such as <c>&lt;|role_end|&gt;</c>.</summary>
    public bool TryGetId(string addedToken, out int id) => _addedIds.TryGetValue(addedToken, out id);

    /// <summary>The ids of a text in which added tokens (<c>&lt;|endoftext|&gt;</c> and the like) are recognised.</summary>
    public int[] Encode(string text) => Encode(text, Encode);

    /// <summary>Appends the ids of a UTF-8 text in which added tokens are recognised.</summary>
    /// <remarks>Ill-formed UTF-8 keeps its bytes.</remarks>
    public void Encode(ReadOnlySpan<byte> utf8, List<int> ids) => EncodeAround(utf8, pass: 0, ids);

    /// <summary>The ids of a text taken as plain words: a literal <c>&lt;|endoftext|&gt;</c> in it is not the token.</summary>
    public int[] EncodeOrdinary(string text) => Encode(text, EncodeOrdinary);

    /// <summary>Appends the ids of a UTF-8 text taken as plain words; for corpora and for what users write.</summary>
    public void EncodeOrdinary(ReadOnlySpan<byte> utf8, List<int> ids)
    {
        Workspace workspace = _workspaces.TryTake(out Workspace? idle) ? idle : new Workspace(_merges);
        for (int start = 0, end; start < utf8.Length; start = end)
        {
            end = LingPreTokenizer.PieceEnd(utf8, start);
            ReadOnlySpan<byte> piece = utf8[start..end];
            if (!workspace.Cache.TryAppend(piece, ids))
            {
                EncodePiece(piece, workspace, ids);
            }
        }

        _workspaces.Add(workspace);
    }

    /// <summary>The text of the ids. Bytes that are not UTF-8 become U+FFFD; ids without a token give nothing.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecial">Leaves out special tokens such as <c>&lt;|endoftext|&gt;</c>.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = true)
    {
        var bytes = new ArrayBufferWriter<byte>(Math.Max(16, ids.Length * 4));
        foreach (int id in ids)
        {
            if (!skipSpecial || !IsSpecial(id))
            {
                bytes.Write(TokenBytes(id));
            }
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>Checks that every id is inside the vocabulary.</summary>
    /// <exception cref="TokenIdException">Names the first id that is not.</exception>
    public void RequireIds(ReadOnlySpan<int> ids)
    {
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)VocabSize)
            {
                throw new TokenIdException(id, VocabSize);
            }
        }
    }

    /// <summary>Returns the bytes of a token; none for an id without a token.</summary>
    public ReadOnlySpan<byte> TokenBytes(int id) => _bytes[id];

    /// <summary>True for a token that decoding leaves out.</summary>
    public bool IsSpecial(int id) => _bytes.IsSpecial(id);

    public byte[] ToJson() => TokenizerJsonWriter.Write(_vocabulary);

    private delegate void EncodeBytes(ReadOnlySpan<byte> utf8, List<int> ids);

    private static int[] Encode(string text, EncodeBytes encode)
    {
        byte[] utf8 = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            var ids = new List<int>((text.Length / 4) + 1);
            encode(utf8.AsSpan(0, Encoding.UTF8.GetBytes(text, utf8)), ids);
            return [.. ids];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(utf8);
        }
    }

    /// <summary>Encodes the text between added tokens; tokens that are not normalized are found first.</summary>
    private void EncodeAround(ReadOnlySpan<byte> utf8, int pass, List<int> ids)
    {
        if (pass == _addedTokenPasses.Length)
        {
            EncodeOrdinary(utf8, ids);
            return;
        }

        int from = 0;
        while (_addedTokenPasses[pass].TryFind(utf8, from, out AddedToken token, out int start, out int end))
        {
            EncodeAround(utf8[from..start], pass + 1, ids);
            ids.Add(token.Id);
            from = end;
        }

        EncodeAround(utf8[from..], pass + 1, ids);
    }

    private void EncodePiece(ReadOnlySpan<byte> piece, Workspace workspace, List<int> ids)
    {
        if (_wholePieces is not null && _wholePieces.Find(piece) is >= 0 and int whole)
        {
            ids.Add(_wholePieceIds[whole]);
            return;
        }

        int start = ids.Count;
        CollectionsMarshal.SetCount(ids, start + piece.Length);
        Span<int> tokens = CollectionsMarshal.AsSpan(ids)[start..];
        for (int i = 0; i < piece.Length; i++)
        {
            tokens[i] = _idOfByte[piece[i]];
        }

        int count = workspace.Merger.Merge(tokens);
        CollectionsMarshal.SetCount(ids, start + count);
        if (piece.Length <= PieceCache.MaxPieceBytes)
        {
            workspace.Cache.Add(piece, tokens[..count]);
        }
    }

    private ByteStringTable IndexWholePieces()
    {
        var pieces = new ByteStringTable();
        for (int id = 0; id < _vocabulary.Tokens.Length; id++)
        {
            if (_vocabulary.Tokens[id] is not { } token || !ByteLevelAlphabet.TryToBytes(token, out byte[] bytes))
            {
                continue;
            }

            pieces.GetOrAdd(bytes, out bool isNew);
            if (isNew)
            {
                _wholePieceIds.Add(id);
            }
        }

        return pieces;
    }

    private static int[] FindBytes(BpeVocabulary vocabulary)
    {
        var idOfByte = new int[256];
        Array.Fill(idOfByte, -1);
        for (int id = 0; id < vocabulary.Tokens.Length; id++)
        {
            if (vocabulary.Tokens[id] is { Length: 1 } token && ByteLevelAlphabet.TryToBytes(token, out byte[] bytes))
            {
                idOfByte[bytes[0]] = id;
            }
        }

        int missing = Array.IndexOf(idOfByte, -1);
        if (missing >= 0)
        {
            throw new InvalidDataException($"model.vocab has no token for byte 0x{missing:X2}: a byte-level vocabulary needs all 256");
        }

        return idOfByte;
    }

    /// <summary>What one encoding thread writes to.</summary>
    private sealed class Workspace(MergeTable merges)
    {
        public BpeMerger Merger { get; } = new(merges);

        public PieceCache Cache { get; } = new();
    }
}
