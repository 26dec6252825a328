namespace Lingotto.Formats;

/// <summary>A file being written on an <see cref="IDisk"/>.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>Writes bytes from a position on.</summary>
    void Write(ReadOnlySpan<byte> data, long position);

    /// <summary>Returns once the contents would survive a power cut.</summary>
    void Flush();
}
