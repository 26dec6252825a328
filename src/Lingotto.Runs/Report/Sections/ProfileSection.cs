using System.Text;
using System.Text.Json;
using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>Where the time went, and which operation is furthest from what the chip allows; shown when there is a profile.json.</summary>
internal static class ProfileSection
{
    private const int Shown = 30;

    // An operation below this share of the time is not worth naming.
    private const double LeastShare = 0.01;

    public static HtmlSection Of(RunView view)
    {
        var html = new HtmlWriter();
        if (Read(view) is { } profile && profile.Operations.Count > 0)
        {
            html.Write($"<p>{Verdict(profile)}</p>");
            html.Write(Chart(profile, "operation", profile.Operations).ToMarkup());
            if (profile.Layers.Count > 0)
            {
                html.Write(Chart(profile, "layer", profile.Layers).ToMarkup());
            }
        }

        return new HtmlSection("profile", "Where the time went", html.ToMarkup());
    }

    /// <summary>Names the operation furthest from its roofline, and the one that loses the most time to it.</summary>
    internal static string Verdict(Profile profile)
    {
        var known = profile.Operations
            .Where(operation => operation.Seconds > 0)
            .Select(operation => (Operation: operation, Roofline: profile.RooflineSeconds(operation)))
            .Where(o => o.Roofline is not null).Select(o => (o.Operation, Roofline: o.Roofline!.Value)).ToArray();
        double seconds = profile.Operations.Sum(operation => operation.Seconds);
        var worthy = known.Where(o => o.Operation.Seconds >= LeastShare * seconds).ToArray();
        if (worthy.Length == 0)
        {
            return "No operation has a roofline to compare with.";
        }

        var slowest = worthy.MinBy(o => o.Roofline / o.Operation.Seconds);
        var costliest = worthy.MaxBy(o => o.Operation.Seconds - o.Roofline);
        return $"Slowest against its roofline: {slowest.Operation.Operation}, at "
            + $"{NumberText.Percent(slowest.Roofline / slowest.Operation.Seconds)} of what the chip allows. "
            + $"Most time to win: {costliest.Operation.Operation}, "
                + $"{NumberText.Duration(costliest.Operation.Seconds - costliest.Roofline)} of {NumberText.Duration(seconds)}.";
    }

    private static Profile? Read(RunView view)
    {
        try
        {
            return RunFiles.Text(view.Files.At(Profile.FileName)) is { } text ? Profile.Parse(Encoding.UTF8.GetBytes(text)) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Rate(double amount, double seconds) =>
        amount > 0 ? FormattableString.Invariant($"{amount / seconds / 1e9:N1}") : "";

    private static BarChart Chart(Profile profile, string kind, IReadOnlyList<ProfiledOperation> parts)
    {
        double seconds = parts.Sum(part => part.Seconds);
        return new BarChart
        {
            Id = $"{kind}s",
            Title = FormattableString.Invariant($"Time by {kind}, {profile.Steps:N0} steps"),
            Description =
                "The roofline is the least time the chip needs: its peak arithmetic or its memory bandwidth, whichever takes longer.",
            RowName = kind,
            Figures = ["time", "share", "calls", "GFLOP/s", "GB/s", "of roofline"],
            Bars = [.. parts.OrderByDescending(operation => operation.Seconds).Take(Shown).Select(operation => new Bar(
                operation.Operation, operation.Seconds,
                [
                    FormattableString.Invariant($"{operation.Seconds:N2} s"), NumberText.Percent(operation.Seconds / seconds),
                        NumberText.Of(operation.Calls),
                    Rate(operation.Flops, operation.Seconds), Rate(operation.Bytes, operation.Seconds),
                    profile.RooflineSeconds(operation) is { } roofline ? NumberText.Percent(roofline / operation.Seconds) : "",
                ]))],
        };
    }
}
