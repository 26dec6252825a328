using System.CommandLine;

namespace Lingotto.Cli;

/// <summary>Options that take one of a few words.</summary>
internal static class WordOption
{
    /// <summary>Refuses every other word in one line that names the option, and completes these.</summary>
    public static void AcceptOnly<T>(this Option<T> option, params string[] words)
    {
        option.CompletionSources.Add(words);
        option.Validators.Add(result =>
        {
            foreach (string word in result.Tokens.Select(token => token.Value).Where(word => !words.Contains(word, StringComparer.Ordinal)))
            {
                result.AddError($"{option.Name} cannot be '{word}': give {string.Join(", ", words[..^1])} or {words[^1]}");
            }
        });
    }
}
