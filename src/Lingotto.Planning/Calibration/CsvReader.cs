using System.Text;

namespace Lingotto.Planning;

/// <summary>Reads comma-separated values (RFC 4180). A row maps column names to cells.</summary>
internal static class CsvReader
{
    public static List<IReadOnlyDictionary<string, string>> Read(string path)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (IOException fault)
        {
            throw new PlanException(
                $"{path}: cannot be read ({fault.GetType().Name}): give the folder devices/calibration of a checkout", fault);
        }

        string[] heading = lines.Length > 0 ? Split(lines[0]) : [];
        var rows = new List<IReadOnlyDictionary<string, string>>();
        for (int i = 1; i < lines.Length; i++)
        {
            string[] cells = Split(lines[i]);
            if (cells.Length != heading.Length)
            {
                throw new PlanException(
                    $"{path}: line {i + 1} has {cells.Length} cells, the heading has {heading.Length}: quote cells that contain commas");
            }

            rows.Add(heading.Zip(cells).ToDictionary(pair => pair.First, pair => pair.Second));
        }

        return rows;
    }

    private static string[] Split(string line)
    {
        var cells = new List<string>();
        var cell = new StringBuilder();
        bool isQuoted = false;
        for (int i = 0; i < line.Length; i++)
        {
            char letter = line[i];
            if (letter == '"' && isQuoted && i + 1 < line.Length && line[i + 1] == '"')
            {
                cell.Append(line[++i]);
            }
            else if (letter == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (letter == ',' && !isQuoted)
            {
                cells.Add(cell.ToString());
                cell.Clear();
            }
            else
            {
                cell.Append(letter);
            }
        }

        cells.Add(cell.ToString());
        return [.. cells];
    }
}
