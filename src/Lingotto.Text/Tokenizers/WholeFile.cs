namespace Lingotto.Text;

/// <summary>Writes a file that is seen whole or not at all, whatever interrupts the writing.</summary>
internal static class WholeFile
{
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        string temporary = path + ".partial";
        try
        {
            using (FileStream file = File.Create(temporary))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
