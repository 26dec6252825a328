namespace Lingotto.Text;

/// <summary>Documents of one source that are worked on together.</summary>
internal sealed record DocumentBatch(int Source, IReadOnlyList<Document> Documents)
{
    private const int MostCharacters = 1 << 18;
    private const int MostDocuments = 512;

    /// <summary>Groups documents, in order, to pieces of work that are worth handing to a thread.</summary>
    public static IEnumerable<DocumentBatch> Of(IEnumerable<Document> documents, int source)
    {
        var batch = new List<Document>();
        int characters = 0;
        foreach (Document document in documents)
        {
            batch.Add(document);
            characters += document.Text.Length;
            if (characters < MostCharacters && batch.Count < MostDocuments)
            {
                continue;
            }

            yield return new DocumentBatch(source, batch);
            (batch, characters) = ([], 0);
        }

        if (batch.Count > 0)
        {
            yield return new DocumentBatch(source, batch);
        }
    }
}
