namespace Lingotto.Diagnostics;

/// <summary>What a power cut does to contents that are not flushed.</summary>
internal enum ContentLoss
{
    /// <summary>All of them had reached the disk.</summary>
    None,

    /// <summary>Files are as last flushed; those never flushed are empty.</summary>
    Everything,

    /// <summary>The size had reached the disk, the data had not: zeros.</summary>
    Data,

    /// <summary>Out of order: the first write since the last flush is lost, later ones are there.</summary>
    FirstWrite,
}
