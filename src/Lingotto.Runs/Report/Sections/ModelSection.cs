using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>The network: its size, and the config.json of the newest checkpoint.</summary>
internal static class ModelSection
{
    public static HtmlSection Of(RunView view)
    {
        var html = new HtmlWriter();
        List<Fact> facts = [];
        if (view.Recipe.Text("model") is { } model)
        {
            facts.Add(new Fact("Model", model));
        }

        if (view.History.Start is { } start)
        {
            facts.AddRange(
            [
                new Fact("Parameters", NumberText.Short(start.Number("total_parameters") ?? double.NaN)),
                new Fact("Used by one token", NumberText.Short(start.Number("active_parameters") ?? double.NaN)),
                new Fact("Training FLOPs per token", NumberText.Short(start.Number("flops_per_token") ?? double.NaN)),
                new Fact("Tokens per step", NumberText.OrDash(start.Number("tokens_per_step"))),
            ]);
        }

        if (facts.Count > 0)
        {
            html.Write(new FactList(facts).ToMarkup());
        }

        if (view.NewestCheckpoint is { } newest && RunFiles.Json(Path.Combine(newest, "config.json")) is { } config)
        {
            html.Write(new DataTable(
                "config.json", [new Column("key"), new Column("value", ColumnKind.Code)],
                config.Flatten().Select(pair => (IReadOnlyList<string>)[pair.Path, pair.Value])).ToDetails("config"));
        }

        return new HtmlSection("model", "Model", html.ToMarkup());
    }
}
