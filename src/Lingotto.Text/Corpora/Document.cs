namespace Lingotto.Text;

/// <summary>One text whose tokens attend to each other.</summary>
/// <param name="Text">The text.</param>
/// <param name="Source">The file it came from.</param>
public readonly record struct Document(string Text, string Source);
