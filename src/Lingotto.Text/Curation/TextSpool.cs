using System.Runtime.InteropServices;

namespace Lingotto.Text;

/// <summary>Kept documents on disk while the vocabulary that they are to be encoded with is learnt from them.</summary>
internal sealed class TextSpool : IDisposable
{
    private const int MaxBytesInList = 1 << 18;

    private readonly FileStream _file;
    private readonly List<string> _languages = [];

    /// <param name="path">A new file, removed when this object is disposed of.</param>
    public TextSpool(string path) => _file = new FileStream(
        path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 1 << 20, FileOptions.DeleteOnClose);

    /// <summary>Bytes of text held.</summary>
    public long Utf8Bytes { get; private set; }

    public void Add(in KeptDocument document)
    {
        Utf8Bytes += document.Utf8.Length;
        int language = _languages.IndexOf(document.Language);
        if (language < 0)
        {
            language = _languages.Count;
            _languages.Add(document.Language);
        }

        _file.Write(MemoryMarshal.AsBytes([new Header(document.Hash, document.Source, language, document.Utf8.Length)]));
        _file.Write(document.Utf8);
    }

    /// <summary>All documents in the order they were added, in lists of bounded length.</summary>
    public IEnumerable<List<KeptDocument>> Read()
    {
        _file.Position = 0;
        var list = new List<KeptDocument>();
        int bytes = 0;
        while (TryRead(out KeptDocument document))
        {
            list.Add(document);
            bytes += document.Utf8.Length;
            if (bytes < MaxBytesInList)
            {
                continue;
            }

            yield return list;
            (list, bytes) = ([], 0);
        }

        if (list.Count > 0)
        {
            yield return list;
        }
    }

    public void Dispose() => _file.Dispose();

    private bool TryRead(out KeptDocument document)
    {
        Span<Header> header = stackalloc Header[1];
        Span<byte> bytes = MemoryMarshal.AsBytes(header);
        document = default;
        if (_file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == 0)
        {
            return false;
        }

        var utf8 = new byte[header[0].Length];
        _file.ReadExactly(utf8);
        document = new KeptDocument(header[0].Source, _languages[header[0].Language], header[0].Hash, utf8);
        return true;
    }

    private readonly record struct Header(UInt128 Hash, int Source, int Language, int Length);
}
