using System.CommandLine;

namespace Lingotto.Cli;

/// <summary>An option that holds a length of time.</summary>
internal static class DurationOption
{
    public static Option<TimeSpan?> Create(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (Figures.TryParseDuration(text, out TimeSpan duration))
            {
                return duration;
            }
            result.AddError($"{name} cannot be '{text}': give a time such as 90s, 15m or 1h30m");
            return null;
        },
    };
}
