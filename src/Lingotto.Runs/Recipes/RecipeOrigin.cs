namespace Lingotto.Runs;

/// <summary>One effective value of a recipe and where it came from.</summary>
/// <param name="Key">With its section, as <c>training.sequence_length</c>.</param>
/// <param name="Value">As JSON.</param>
/// <param name="Source"><c>default</c>, <c>FILE:LINE</c>, <c>--set</c>, or the law that it was derived by.</param>
public sealed record RecipeOrigin(string Key, string Value, string Source);
