namespace Lingotto.Text;

/// <summary>The files of a corpus by what became of them; each file and each byte is in one of the three groups.</summary>
/// <param name="Read">Files read to their end.</param>
/// <param name="ReadBytes">Bytes of these files on disk.</param>
/// <param name="Skipped">Files of which nothing was read; <see cref="CorpusReport.ByReason"/> has the reasons.</param>
/// <param name="SkippedBytes">Bytes of these files on disk.</param>
/// <param name="Damaged">Files read up to a damaged place; the text before the place is kept.</param>
/// <param name="DamagedBytes">Bytes of these files on disk.</param>
public sealed record FileTotals(long Read, long ReadBytes, long Skipped, long SkippedBytes, long Damaged, long DamagedBytes)
{
    /// <summary>All files that the paths name.</summary>
    public long Found => Read + Skipped + Damaged;

    /// <summary>Bytes of all files on disk.</summary>
    public long FoundBytes => ReadBytes + SkippedBytes + DamagedBytes;
}
