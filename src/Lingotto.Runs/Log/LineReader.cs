namespace Lingotto.Runs;

/// <summary>Lines of a file, handed on without a string for each.</summary>
internal static class LineReader
{
    private const int FirstBuffer = 1 << 18, MaxLine = 1 << 26;

    /// <summary>Takes a line without its end and where it begins in the file.</summary>
    public delegate void LineAction(ReadOnlySpan<byte> line, long offset);

    /// <summary>Reads the complete lines from a place on; returns the place behind the last of them.</summary>
    /// <exception cref="InvalidDataException">A line is longer than 64 MiB.</exception>
    public static long Read(FileStream file, long from, LineAction action, CancellationToken cancellation = default)
    {
        byte[] buffer = new byte[FirstBuffer];
        int held = 0;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            int read = RandomAccess.Read(file.SafeFileHandle, buffer.AsSpan(held), from + held);
            if (read == 0)
            {
                return from;
            }

            held += read;
            int begin = 0;
            for (int length; (length = buffer.AsSpan(begin, held - begin).IndexOf((byte)'\n')) >= 0; begin += length + 1)
            {
                action(buffer.AsSpan(begin, length), from + begin);
            }

            buffer.AsSpan(begin, held - begin).CopyTo(buffer);
            (from, held) = (from + begin, held - begin);
            if (held == buffer.Length)
            {
                if (held >= MaxLine)
                {
                    throw new InvalidDataException(
                        $"{file.Name}: the line at byte {from} is longer than {MaxLine >> 20} MiB: this is no file of lines.");
                }

                Array.Resize(ref buffer, 2 * buffer.Length);
            }
        }
    }
}
