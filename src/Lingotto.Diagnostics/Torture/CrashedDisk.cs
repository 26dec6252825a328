using System.Text;
using Lingotto.Formats;

namespace Lingotto.Diagnostics;

/// <summary>
/// What may be on a disk after a power cut: all that was flushed, and any part of the rest. Names and contents are apart, as
/// in a file system: a name may be lost whose file is there, and a file may be empty or torn whose name is there.
/// </summary>
/// <remarks>Method: Pillai and others, All File Systems Are Not Created Equal (ALICE), OSDI 2014.</remarks>
internal sealed class CrashedDisk
{
    private readonly Folder _root = new();
    private readonly List<Contents> _files = [];
    private readonly List<Change> _pending = [];
    private Contents? _lastWritten;

    /// <summary>The disk after the first operations of a save that began in the folder <paramref name="origin"/>.</summary>
    public CrashedDisk(IReadOnlyDictionary<string, byte[]> origin, IEnumerable<DiskOperation> operations)
    {
        foreach ((string path, byte[] bytes) in origin)
        {
            string? parent = Path.GetDirectoryName(path);
            Folder folder = string.IsNullOrEmpty(parent) ? _root : (Folder)_root.Add(parent, () => new Folder());
            folder.Add(Path.GetFileName(path), () => new Contents(bytes));
        }

        foreach (DiskOperation operation in operations)
        {
            Apply(operation);
        }
    }

    /// <summary>Changes of names that are not flushed.</summary>
    public int PendingNames => _pending.Count;

    /// <summary>True if some file has contents that are not flushed.</summary>
    public bool HasPendingContents => _files.Exists(file => file.IsDirty);

    /// <summary>Writes the state to an empty folder. Returns false, and writes nothing, where a state of the same hash was seen.</summary>
    /// <param name="target">An empty folder.</param>
    /// <param name="keptNames">Bit i: the change i of names survived.</param>
    /// <param name="loss">What became of contents that are not flushed.</param>
    /// <param name="tornAt">Bytes of the last write that survived; null for all.</param>
    /// <param name="seen">Hashes of states.</param>
    public bool TryWrite(string target, ulong keptNames, ContentLoss loss, int? tornAt, HashSet<string> seen)
    {
        var names = new Dictionary<Folder, Dictionary<string, object>>();
        Dictionary<string, object> NamesOf(Folder folder) =>
            names.TryGetValue(folder, out Dictionary<string, object>? known) ? known : names[folder] = new(folder.Durable);
        for (int i = 0; i < _pending.Count; i++)
        {
            if ((keptNames >> i & 1) == 1)
            {
                Change.Carry(_pending[i], NamesOf(_pending[i].Folder));
            }
        }

        var tree = new SortedDictionary<string, byte[]?>(StringComparer.Ordinal);
        Collect(_root, "");
        if (!seen.Add(Signature(tree)))
        {
            return false;
        }

        foreach ((string path, byte[]? bytes) in tree)
        {
            if (bytes is null)
            {
                Directory.CreateDirectory(Path.Combine(target, path));
            }
            else
            {
                File.WriteAllBytes(Path.Combine(target, path), bytes);
            }
        }

        return true;

        void Collect(Folder folder, string prefix)
        {
            foreach ((string name, object node) in NamesOf(folder))
            {
                tree[prefix + name] = node is Contents file ? file.After(loss, file == _lastWritten ? tornAt : null) : null;
                if (node is Folder inner)
                {
                    Collect(inner, prefix + name + Path.DirectorySeparatorChar);
                }
            }
        }
    }

    private static string Signature(SortedDictionary<string, byte[]?> tree)
    {
        var all = new StringBuilder();
        foreach ((string path, byte[]? bytes) in tree)
        {
            all.Append(path).Append('\n').Append(bytes is null ? "" : ContentHash.Of(bytes)).Append('\n');
        }

        return ContentHash.Of(Encoding.UTF8.GetBytes(all.ToString()));
    }

    private void Apply(DiskOperation operation)
    {
        _lastWritten = null;
        switch (operation)
        {
            case DiskOperation.CreateFolder(var path):
                Put(path, new Folder());
                break;
            case DiskOperation.CreateFile(_, var path, var length):
                _files.Add(new Contents(length));
                Put(path, _files[^1]);
                break;
            case DiskOperation.Write(var file, var position, var data):
                _lastWritten = _files[file];
                _lastWritten.Add(position, data);
                break;
            case DiskOperation.FlushFile(var file):
                _files[file].Flush();
                break;
            case DiskOperation.Rename(var from, var to):
                Folder folder = FolderOf(from);
                Queue(new Change(folder, [(Path.GetFileName(from), null), (Path.GetFileName(to), folder.Live[Path.GetFileName(from)])]));
                break;
            case DiskOperation.FlushFolder(var path):
                Flush((Folder)(path == "." ? _root : FolderOf(path).Live[Path.GetFileName(path)]));
                break;
            case DiskOperation.Delete(var path):
                Queue(new Change(FolderOf(path), [(Path.GetFileName(path), null)]));
                break;
        }
    }

    private Folder FolderOf(string path) =>
        Path.GetDirectoryName(path) is { Length: > 0 } parent ? (Folder)FolderOf(parent).Live[Path.GetFileName(parent)] : _root;

    private void Put(string path, object node) => Queue(new Change(FolderOf(path), [(Path.GetFileName(path), node)]));

    private void Queue(Change change)
    {
        Change.Carry(change, change.Folder.Live);
        _pending.Add(change);
    }

    private void Flush(Folder folder)
    {
        foreach (Change change in _pending.Where(change => change.Folder == folder))
        {
            Change.Carry(change, folder.Durable);
        }

        _pending.RemoveAll(change => change.Folder == folder);
    }

    /// <summary>A folder's names as programs see them, and as a power cut would leave them.</summary>
    private sealed class Folder
    {
        public Dictionary<string, object> Live { get; } = [];

        public Dictionary<string, object> Durable { get; } = [];

        /// <summary>What was there before the save.</summary>
        public object Add(string name, Func<object> make)
        {
            if (!Live.TryGetValue(name, out object? node))
            {
                Live[name] = Durable[name] = node = make();
            }

            return node;
        }
    }

    /// <summary>Names that change together: a rename never leaves both or neither.</summary>
    private sealed record Change(Folder Folder, (string Name, object? Node)[] Entries)
    {
        public static void Carry(Change change, Dictionary<string, object> names)
        {
            foreach ((string name, object? node) in change.Entries)
            {
                if (node is null)
                {
                    names.Remove(name);
                }
                else
                {
                    names[name] = node;
                }
            }
        }
    }

    private sealed class Contents
    {
        private readonly List<(long Position, byte[] Data)> _writes = [];
        private readonly long _length;
        private int _flushed;
        private bool _hasLength;

        public Contents(long length) => _length = length;

        public Contents(byte[] bytes)
            : this(bytes.Length)
        {
            Add(0, bytes);
            Flush();
        }

        public bool IsDirty => _flushed < _writes.Count || !_hasLength;

        public void Add(long position, byte[] data) => _writes.Add((position, data));

        public void Flush() => (_flushed, _hasLength) = (_writes.Count, true);

        public byte[] After(ContentLoss loss, int? tornAt)
        {
            int kept = loss is ContentLoss.None or ContentLoss.FirstWrite ? _writes.Count : _flushed;
            var bytes = new byte[loss == ContentLoss.Everything && !_hasLength ? 0 : _length];
            for (int i = 0; i < kept; i++)
            {
                if (loss != ContentLoss.FirstWrite || i != _flushed)
                {
                    (long position, byte[] data) = _writes[i];
                    data.AsSpan(0, i == _writes.Count - 1 ? tornAt ?? data.Length : data.Length).CopyTo(bytes.AsSpan((int)position));
                }
            }

            return bytes;
        }
    }
}
