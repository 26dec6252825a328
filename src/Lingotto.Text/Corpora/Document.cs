namespace Lingotto.Text;

/// <summary>A text whose tokens attend to each other.</summary>
/// <param name="Text">The text.</param>
/// <param name="Source">The file of the text.</param>
/// <param name="Line">The line of the file on which the text begins, from 1; the row in .parquet, and 1 in .xml.</param>
public readonly record struct Document(string Text, string Source, long Line = 1);
