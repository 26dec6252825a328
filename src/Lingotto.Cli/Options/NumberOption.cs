using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Lingotto.Cli;

/// <summary>Options that hold a number and say what they expect when they are given something else.</summary>
internal static class NumberOption
{
    public static Option<int> Whole(string name, string description, int value, int least, bool recursive = false) => new(name)
    {
        Description = description,
        HelpName = "N",
        Recursive = recursive,
        DefaultValueFactory = _ => value,
        CustomParser = result => Parse<int>(
            result, name, NumberStyles.AllowLeadingSign, number => number >= least, $"a whole number of {least} or more"),
    };

    public static Option<double> Real(string name, string description, double value) => new(name)
    {
        Description = description,
        HelpName = "X",
        DefaultValueFactory = _ => value,
        CustomParser = result => Parse<double>(result, name, NumberStyles.Float, double.IsFinite, "a number"),
    };

    public static Option<ulong?> Seed() => new("--seed")
    {
        Description = "Seed of everything random.",
        HelpName = "N",
        Recursive = true,
        CustomParser = result => Parse<ulong>(result, "--seed", NumberStyles.None, _ => true, "a whole number of 0 or more"),
    };

    private static T Parse<T>(ArgumentResult result, string name, NumberStyles style, Predicate<T> holds, string expected)
        where T : struct, INumberBase<T>
    {
        string text = result.Tokens[0].Value;
        if (T.TryParse(text, style, CultureInfo.InvariantCulture, out T number) && holds(number))
        {
            return number;
        }
        result.AddError($"{name} cannot be '{text}': give {expected}");
        return default;
    }
}
