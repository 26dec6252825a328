using System.CommandLine;
using System.Globalization;
using Lingotto.Planning;

namespace Lingotto.Cli;

/// <summary>The options of lingotto plan.</summary>
internal sealed class PlanOptions
{
    private readonly Option<string> _tokens = new("--tokens")
    {
        Description = "Tokens to train on: 1T, 300B.",
        HelpName = "N",
        DefaultValueFactory = _ => "1T",
    };

    private readonly Option<string?> _layout = new("--layout")
    {
        Description = "Plan with this layout instead of searching, written as in a plan: \"t2 p8 e8 d16 b1 zero-1 recompute-full\".",
        HelpName = "TEXT",
    };

    private readonly Option<string> _deadline = new("--deadline")
    {
        Description = "Max time of the run.",
        HelpName = "TIME",
        DefaultValueFactory = _ => "60d",
    };

    private readonly Option<string?> _budget = new("--budget")
    {
        Description = "Max cost, in the currency of the answer: 6M.",
        HelpName = "AMOUNT",
    };

    private readonly Option<string> _currency = new("--currency")
    {
        Description = "Currency of the answer.",
        HelpName = "CNY|USD",
        DefaultValueFactory = _ => "CNY",
    };

    private readonly Option<double> _yuan = NumberOption.Real("--yuan-per-dollar", "Exchange rate for prices in the other currency.", 7.2);

    private readonly Option<double> _imbalance = NumberOption.Real("--imbalance", "Rows of the busiest expert rank over the mean.", 1.2);

    private readonly Option<int> _sequence = NumberOption.Whole(
        "--sequence-length", "Tokens of a sequence; 0 for the value of the recipe, or 4096.", 0, least: 0);

    private readonly Option<int> _sequences = NumberOption.Whole(
        "--sequences", "Sequences of an update; 0 for the value of the recipe, or 1024.", 0, least: 0);

    private readonly Option<int> _maxDevices = NumberOption.Whole("--max-devices", "Max devices of a fleet.", 16384, least: 1);

    private readonly Option<string?> _recompute = new("--recompute")
    {
        Description = "What backward recomputes; by default the search chooses.",
        HelpName = "none|selective|full",
    };

    private readonly Option<double> _software = NumberOption.Real(
        "--software-year", "Date of the software, such as 2024.5; 0 for the mean date of the measurements.", 0);

    private readonly Option<bool> _zeroBubble = new("--zero-bubble")
    {
        Description = "Consider zero-bubble schedules, which few training programs have.",
    };

    private readonly Option<bool> _pareto = new("--pareto") { Description = "Show the Pareto front of cost, time and risk." };

    private readonly Option<bool> _mixed = new("--mixed") { Description = "Consider fleets of two kinds of devices too." };

    private readonly Option<string> _sync = new("--sync")
    {
        Description = "step: replicas exchange every step. edit: also consider islands with time-based sync (EDiT), "
            + "which changes the training result.",
        HelpName = "step|edit",
        DefaultValueFactory = _ => "step",
    };

    private readonly Option<double> _editTokenFactor = NumberOption.Real(
        "--edit-token-factor", "With --sync edit: tokens that EDiT needs over synchronous training, from your own experiment.", 1);

    private readonly Option<double> _stragglerShare = NumberOption.Real(
        "--straggler-share", "Share of the steps of a device that are slow; devices that exchange every step wait for them.", 0);

    private readonly Option<double> _stragglerSlowdown = NumberOption.Real(
        "--straggler-slowdown", "Extra time of a slow step, with --straggler-share: 0.66 for two thirds.", 0);

    private readonly Option<bool> _fp8 = new("--fp8") { Description = "Consider FP8 matmuls on chips that have FP8." };

    /// <summary>The page to write.</summary>
    public Option<string?> Html { get; } = new("--html") { Description = "Write the plan as one HTML file.", HelpName = "FILE" };

    /// <summary>The program to print the best plan for.</summary>
    public Option<string?> Export { get; } = new("--export")
    {
        Description = "Print only the best plan, as options or configuration of another program.",
        HelpName = "megatron|deepspeed|recipe",
    };

    /// <summary>The device file of the machine to predict a recipe on.</summary>
    public Option<string?> Here { get; } = PlanHere.Option();

    /// <summary>A run to compare with the prediction.</summary>
    public Option<string?> Run { get; } = new("--run")
    {
        Description = "With --here: compare the prediction with this run of the recipe.",
        HelpName = "RUN",
    };

    /// <summary>The options that select devices.</summary>
    public DeviceOptions Devices { get; } = new();

    private IReadOnlyList<Option> OfTheSearch =>
    [
        _tokens, .. Devices.All, _layout, _deadline, _budget, _currency, _yuan, _imbalance, _sequence, _sequences, _maxDevices, _recompute,
        _software, _zeroBubble, _pareto, _mixed, _fp8, _sync, _editTokenFactor, _stragglerShare, _stragglerSlowdown,
    ];

    public void AddTo(Command command)
    {
        Export.AcceptOnly("megatron", "deepspeed", "recipe");
        _currency.AcceptOnly("CNY", "USD");
        _recompute.AcceptOnly("none", "selective", "full");
        _sync.AcceptOnly("step", "edit");
        foreach (Option option in (Option[])[.. OfTheSearch, GlobalOptions.Json, Here, Run, Html, Export])
        {
            command.Add(option);
        }
    }

    /// <summary>Refuses options that would have no effect.</summary>
    public void RefuseUnused(ParseResult parsed)
    {
        if (IsGiven(parsed, Here))
        {
            if (FirstGiven(parsed, [.. OfTheSearch, GlobalOptions.Json, Html, Export]) is { } unused)
            {
                throw new UsageException($"--here predicts one recipe on one machine and has no use for {unused.Name}: leave it out");
            }

            return;
        }

        if (IsGiven(parsed, Run))
        {
            throw new UsageException("--run needs --here: give the file that lingotto bench --device-file wrote on the machine of the run");
        }

        if (((Option[])[_pareto, Export, GlobalOptions.Json]).Count(option => IsGiven(parsed, option)) > 1)
        {
            throw new UsageException("--pareto, --export and --json each select what is printed: give one of them");
        }

        if (IsGiven(parsed, _editTokenFactor) && parsed.GetValue(_sync) != "edit")
        {
            throw new UsageException("--edit-token-factor needs --sync edit: it counts the tokens of EDiT over synchronous training");
        }

        if (IsGiven(parsed, _layout) && FirstGiven(parsed, [_recompute, _zeroBubble, _pareto, _mixed]) is { } fixedByIt)
        {
            throw new UsageException($"--layout leaves nothing to choose for {fixedByIt.Name}: leave one of them out");
        }
    }

    public int? SequenceLength(ParseResult parsed) => parsed.GetValue(_sequence) is > 0 and var length ? length : null;

    public int? SequencesPerStep(ParseResult parsed) => parsed.GetValue(_sequences) is > 0 and var count ? count : null;

    public bool Pareto(ParseResult parsed) => parsed.GetValue(_pareto);

    public bool Mixed(ParseResult parsed) => parsed.GetValue(_mixed);

    public double Imbalance(ParseResult parsed) => parsed.GetValue(_imbalance) is >= 1 and var kappa
        ? kappa : throw new UsageException("--imbalance cannot be below 1: the busiest rank has at least the mean");

    /// <summary>Returns the rare slow steps.</summary>
    public Stragglers Stragglers(ParseResult parsed)
    {
        double share = parsed.GetValue(_stragglerShare), slowdown = parsed.GetValue(_stragglerSlowdown);
        if (share is not (>= 0 and <= 1))
        {
            throw new UsageException("--straggler-share must be a share, 0 to 1");
        }

        if (share > 0 && slowdown == 0)
        {
            throw new UsageException("--straggler-share needs --straggler-slowdown: "
                + "give the extra time of a slow step on your devices, such as 0.66");
        }

        if (share == 0 && slowdown > 0)
        {
            throw new UsageException("--straggler-slowdown needs --straggler-share: "
                + "give the share of the steps of a device that are slow, such as 0.004");
        }

        return slowdown is >= 0 and < 1000 ? new Stragglers(slowdown, share)
            : throw new UsageException("--straggler-slowdown must be at least 0 and below 1000");
    }

    public PlanRequest Request(ParseResult parsed, Workload work, IReadOnlyDictionary<string, int> stock)
    {
        string deadline = parsed.GetRequiredValue(_deadline);
        return new PlanRequest
        {
            Work = work,
            Tokens = Amount("--tokens", parsed.GetRequiredValue(_tokens)),
            DeadlineDays = Figures.TryParseDuration(deadline, out TimeSpan time)
                ? time.TotalDays : throw new UsageException($"--deadline cannot be '{deadline}': give a time such as 60d"),
            Budget = parsed.GetValue(_budget) is { } budget ? Amount("--budget", budget) : double.PositiveInfinity,
            Currency = parsed.GetRequiredValue(_currency),
            YuanPerDollar = parsed.GetValue(_yuan) is > 0 and var rate
                ? rate : throw new UsageException("--yuan-per-dollar must be above 0"),
            MaxDevices = parsed.GetValue(_maxDevices),
            Stock = stock,
            Layout = parsed.GetValue(_layout) is { } layout ? LayoutText.Parse(layout) : null,
            Recompute = parsed.GetValue(_recompute) is { } kind ? Enum.Parse<Recompute>(kind, ignoreCase: true) : null,
            SoftwareYear = parsed.GetValue(_software) is var year and (0 or (> 2015 and < 2040))
                ? year : throw new UsageException("--software-year must be above 2015 and below 2040, such as 2024.5"),
            AllowsZeroBubble = parsed.GetValue(_zeroBubble),
            AllowsFp8 = parsed.GetValue(_fp8),
            AllowsEdit = parsed.GetValue(_sync) == "edit",
            EditTokenFactor = parsed.GetValue(_editTokenFactor) is >= 1 and < 100 and var factor ? factor : throw new UsageException(
                "--edit-token-factor must be at least 1 and below 100: islands that exchange seldom learn no more from a token"),
        };
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    private static Option? FirstGiven(ParseResult parsed, IEnumerable<Option> options) =>
        options.FirstOrDefault(option => IsGiven(parsed, option));

    /// <summary>Reads an amount: 1T, 300B, 6.35M, 1e12.</summary>
    private static double Amount(string option, string text)
    {
        char suffix = text.Length == 0 ? ' ' : char.ToUpperInvariant(text[^1]);
        double factor = suffix switch { 'K' => 1e3, 'M' => 1e6, 'B' => 1e9, 'T' => 1e12, _ => 1 };
        string digits = factor == 1 ? text : text[..^1];
        return double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            && number * factor is > 0 and < 1e30
            ? number * factor : throw new UsageException(
                $"{option} cannot be '{text}': give an amount above 0 and below 1e30, such as 300B or 1T");
    }
}
