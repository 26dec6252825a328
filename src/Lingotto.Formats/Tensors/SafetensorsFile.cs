using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Lingotto.Formats;

/// <summary>A safetensors file open for reading; its header is fully validated before any tensor can be read.</summary>
/// <remarks>
/// Reads by position, never by mapping: truncating a mapped file kills the process. Reading is safe from several threads.
/// </remarks>
public sealed class SafetensorsFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly Dictionary<string, TensorEntry> _byName;

    private SafetensorsFile(string path, SafeFileHandle handle, SafetensorsHeader header, long dataStart)
    {
        Path = path;
        _handle = handle;
        DataStart = dataStart;
        Tensors = header.Tensors;
        Metadata = header.Metadata;
        _byName = header.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>The path it was opened by.</summary>
    public string Path { get; }

    /// <summary>The tensors in the order of the header.</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>The free-form texts of the header; PyTorch's loaders look for format = pt.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Bytes before the data: the header and its length.</summary>
    internal long DataStart { get; }

    /// <summary>Opens and validates a file.</summary>
    /// <exception cref="SafetensorsException">The file is absent, unreadable or breaks a rule of the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new SafetensorsException(path, null, $"cannot be opened ({e.GetType().Name}); check the path and its permissions", e);
        }

        try
        {
            return Open(path, handle);
        }
        catch (Exception e)
        {
            handle.Dispose();
            if (e is IOException or UnauthorizedAccessException or NotSupportedException)
            {
                throw new SafetensorsException(
                    path, null, $"cannot be read ({e.GetType().Name}); check that it is a file on a sound disk", e);
            }

            throw;
        }
    }

    /// <summary>Finds a tensor by name.</summary>
    public bool TryGet(string name, out TensorEntry entry) => _byName.TryGetValue(name, out entry!);

    /// <summary>Reads a whole tensor; the destination has exactly its size in bytes.</summary>
    /// <exception cref="SafetensorsException">The file was cut short since it was opened.</exception>
    public void Read(TensorEntry entry, Span<byte> destination)
    {
        if (destination.Length != entry.ByteLength)
        {
            throw new ArgumentException($"tensor '{entry.Name}' has {entry.ByteLength} bytes, the destination {destination.Length}",
                nameof(destination));
        }

        Read(entry, 0, destination);
    }

    /// <summary>Reads part of a tensor, to stream one larger than memory.</summary>
    /// <param name="entry">A tensor of this file.</param>
    /// <param name="byteOffset">First byte wanted, counted from the tensor's first.</param>
    /// <param name="destination">Filled completely.</param>
    /// <exception cref="SafetensorsException">The file was cut short since it was opened.</exception>
    public void Read(TensorEntry entry, long byteOffset, Span<byte> destination)
    {
        if (!TryGet(entry.Name, out TensorEntry own) || own != entry)
        {
            throw new ArgumentException($"tensor '{entry.Name}' does not belong to {Path}", nameof(entry));
        }

        if (byteOffset < 0 || byteOffset > entry.ByteLength - destination.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(byteOffset), byteOffset, $"tensor '{entry.Name}' has {entry.ByteLength} bytes");
        }

        try
        {
            ReadFully(_handle, DataStart + entry.Begin + byteOffset, destination);
        }
        catch (IOException e)
        {
            throw new SafetensorsException(Path, entry.Name, $"cannot be read ({e.Message}); the file changed or the disk is failing", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private static SafetensorsFile Open(string path, SafeFileHandle handle)
    {
        long length = RandomAccess.GetLength(handle);
        if (length < sizeof(ulong))
        {
            throw new SafetensorsException(path, null, $"has only {length} bytes; this is not a safetensors file");
        }

        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        ReadFully(handle, 0, prefix);
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > SafetensorsHeader.MaxLength)
        {
            throw new SafetensorsException(
                path, null, $"claims a header of {headerLength} bytes, more than {SafetensorsHeader.MaxLength}; this is not a "
                    + "safetensors file");
        }

        if ((long)headerLength > length - sizeof(ulong))
        {
            throw new SafetensorsException(
                path, null, $"claims a header of {headerLength} bytes but has {length} in all; download or save it again");
        }

        byte[] header = new byte[headerLength];
        ReadFully(handle, sizeof(ulong), header);
        long dataStart = sizeof(ulong) + (long)headerLength;
        return new SafetensorsFile(path, handle, SafetensorsHeader.Parse(header, length - dataStart, path), dataStart);
    }

    private static void ReadFully(SafeFileHandle handle, long position, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            int read = RandomAccess.Read(handle, destination, position);
            if (read == 0)
            {
                throw new EndOfStreamException("it ends early");
            }

            destination = destination[read..];
            position += read;
        }
    }
}
