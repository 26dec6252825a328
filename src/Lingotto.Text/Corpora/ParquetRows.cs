using Parquet;
using Parquet.Meta;
using Parquet.Schema;

namespace Lingotto.Text;

/// <summary>Reads the string column <c>text</c> of a .parquet file, one row group at a time.</summary>
internal static class ParquetRows
{
    private const string Column = "text";
    private const int MaxRows = 1 << 24;
    private const long MaxColumnBytes = 1L << 30;

    /// <summary>Reads the texts; the line of a text is the number of its row, from 1.</summary>
    public static IEnumerable<(string Text, long Line)> Read(string path, CorpusReport report, CancellationToken cancellationToken)
    {
        using FileStream file = File.OpenRead(path);
        ParquetReader reader = Sound("the footer", () => ParquetReader.CreateAsync(file, null, true, cancellationToken));
        try
        {
            DataField field = reader.Schema.GetDataFields().FirstOrDefault(field => field.Path.ToString() == Column)
                ?? throw new DamagedFileException(
                    Reasons.MissingText, $"there is no column '{Column}'; rename the column that has the text");
            long row = 0;
            for (int group = 0; group < reader.RowGroupCount; group++)
            {
                string?[] texts = ReadGroup(reader, field, group, cancellationToken);
                for (int i = 0; i < texts.Length; i++)
                {
                    row++;
                    if (texts[i] is not { } text)
                    {
                        report.AddProblem(Reasons.MissingText, path, row, 0, "the text of the row is null");
                        continue;
                    }

                    foreach ((string section, long line) in JsonRow.Cut(text, row))
                    {
                        yield return (section, line);
                    }
                }
            }
        }
        finally
        {
            reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static string?[] ReadGroup(ParquetReader reader, DataField field, int group, CancellationToken cancellationToken) =>
        Sound($"row group {group + 1}", async () =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            using ParquetRowGroupReader rows = reader.OpenRowGroupReader(group);
            ColumnMetaData? column = rows.GetMetadata(field)?.MetaData;
            if (column is null || rows.RowCount is < 0 or > MaxRows || column.TotalUncompressedSize is < 0 or > MaxColumnBytes)
            {
                throw new DamagedFileException(
                    Reasons.DamagedParquet,
                    $"row group {group + 1} has {rows.RowCount} rows and {column?.TotalUncompressedSize} bytes of text, at most "
                        + $"{MaxRows} and "
                        + $"{MaxColumnBytes} are read; write smaller row groups");
            }

            var texts = new string?[(int)rows.RowCount];
            await rows.ReadAsync(field, texts.AsMemory()!, null, cancellationToken).ConfigureAwait(false);
            return texts;
        });

    /// <summary>Runs a read of the package, which answers damaged files with exceptions of many types.</summary>
    private static T Sound<T>(string place, Func<Task<T>> read)
    {
        try
        {
            return Task.Run(read).GetAwaiter().GetResult();
        }
        catch (Exception fault) when (fault is not (OperationCanceledException or DamagedFileException or OutOfMemoryException))
        {
            throw new DamagedFileException(
                Reasons.DamagedParquet, $"{place} cannot be read ({fault.GetType().Name}); restore the file, or convert it to .jsonl",
                    fault);
        }
    }
}
