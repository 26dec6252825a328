namespace Lingotto.Text;

/// <summary>Documents of one source that are worked on together.</summary>
internal sealed record DocumentBatch(int Source, IReadOnlyList<Document> Documents)
{
    private const int MaxCharacters = 1 << 18;
    private const int MaxDocuments = 512;

    /// <summary>Groups documents, in order, into batches that are large enough for a thread.</summary>
    public static IEnumerable<DocumentBatch> Of(IEnumerable<Document> documents, int source)
    {
        var batch = new List<Document>();
        int characters = 0;
        foreach (Document document in documents)
        {
            batch.Add(document);
            characters += document.Text.Length;
            if (characters < MaxCharacters && batch.Count < MaxDocuments)
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
