using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>What the run cost and what a trillion tokens would; nothing where the recipe names no price and no power.</summary>
internal static class MoneySection
{
    public static HtmlSection Of(RunView view)
    {
        var html = new HtmlWriter();
        List<Fact> facts = [];
        if (view.History.LastStep is { } last)
        {
            System.Text.Json.JsonElement? hardware = view.Recipe.Field("hardware");
            Add(view.History.Cost, cost => new Fact("Cost so far", NumberText.Money(cost, view.Currency)));
            Add(last.CostPerTrillionTokens, cost => new Fact("Cost of 1T tokens at this rate", NumberText.Money(cost, view.Currency)));
            Add(view.History.Cost is null ? null : hardware?.Number("price_per_hour"),
                price => new Fact("Price of an hour", NumberText.Money(price, view.Currency)));
            Add(view.History.KilowattHours, energy => new Fact("Energy so far", NumberText.Energy(energy)));
            Add(view.History.KilowattHours is null ? null : hardware?.Number("watts"),
                watts => new Fact("Power", $"{NumberText.Of(watts)} W"));
            Add(view.History.KilowattHours * 1e6 / Math.Max(1, last.Tokens),
                energy => new Fact("Energy of 1M tokens", NumberText.Energy(energy)));
        }

        if (facts.Count > 0)
        {
            html.Write($"<p>Price and power are the recipe's; the time is training time, without the hours between sessions.</p>");
            html.Write(new FactList(facts).ToMarkup());
        }

        return new HtmlSection("money", "Money and energy", html.ToMarkup());

        void Add(double? value, Func<double, Fact> fact)
        {
            if (value is { } known)
            {
                facts.Add(fact(known));
            }
        }
    }
}
