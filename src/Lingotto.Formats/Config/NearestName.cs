namespace Lingotto.Formats;

/// <summary>
/// Finds the known name nearest to a mistyped one. The class is here because the planner, training and the command line have only
/// this project in common.
/// </summary>
public static class NearestName
{
    /// <summary>Returns the known name with the fewest edits; null when every name needs too many.</summary>
    public static string? Of(string name, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(known);
        (string? best, int bestEdits) = (null, Math.Max(2, name.Length / 3) + 1);
        foreach (string candidate in known)
        {
            int edits = Edits(name, candidate);
            if (edits < bestEdits && edits < candidate.Length)
            {
                (best, bestEdits) = (candidate, edits);
            }
        }

        return best;
    }

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).</summary>
    internal static int Edits(string a, string b)
    {
        var edits = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            edits[i, 0] = i;
        }

        for (int j = 0; j <= b.Length; j++)
        {
            edits[0, j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int substitution = edits[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                edits[i, j] = Math.Min(substitution, Math.Min(edits[i - 1, j], edits[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    edits[i, j] = Math.Min(edits[i, j], edits[i - 2, j - 2] + 1);
                }
            }
        }

        return edits[a.Length, b.Length];
    }
}
