using System.Text.Json;
using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>Every setting of the run.</summary>
internal static class RecipeSection
{
    public static HtmlSection Of(RunView view)
    {
        var html = new HtmlWriter();
        if (view.Recipe.ValueKind == JsonValueKind.Object)
        {
            html.Write(new DataTable(
                "recipe.json: every value, defaults included", [new Column("key"), new Column("value", ColumnKind.Code)],
                view.Recipe.Flatten().Select(pair => (IReadOnlyList<string>)[pair.Path, pair.Value])).ToDetails("recipe-values"));
        }

        return new HtmlSection("recipe", "Recipe", html.ToMarkup());
    }
}
