namespace Lingotto.Text;

/// <summary>A document after cleaning.</summary>
internal sealed class CleanDocument
{
    public required Document Origin { get; init; }

    public required int Source { get; init; }

    public required string Text { get; set; }

    public required string Language { get; init; }

    /// <summary>The hashes of the lines among which boilerplate is looked for; null for none.</summary>
    public ulong[]? LineHashes { get; init; }

    public bool HadMojibake { get; init; }

    public bool HadControls { get; init; }
}
