namespace Lingotto.Text;

/// <summary>One text whose tokens attend to each other.</summary>
/// <param name="Text">The text.</param>
/// <param name="Source">The file it came from.</param>
/// <param name="Line">The line of the file on which it begins, from 1; 1 where lines say nothing, as in .xml.</param>
public readonly record struct Document(string Text, string Source, long Line = 1);
