using System.CommandLine;
using System.Globalization;
using Lingotto.Planning;

namespace Lingotto.Cli;

/// <summary>The options of lingotto plan.</summary>
internal sealed class PlanOptions
{
    private readonly Option<string> _tokens = new("--tokens") { Description = "Tokens to train on: 1T, 300B.", HelpName = "N", DefaultValueFactory = _ => "1T" };
    private readonly Option<string?> _layout = new("--layout") { Description = "Plan with this layout instead of searching, in the words of a plan: \"t2 p8 e8 d16 b1 zero-1 recompute-full\".", HelpName = "TEXT" };
    private readonly Option<string> _deadline = new("--deadline") { Description = "Longest run.", HelpName = "TIME", DefaultValueFactory = _ => "60d" };
    private readonly Option<string?> _budget = new("--budget") { Description = "Most money, in the currency of the answer: 6M.", HelpName = "AMOUNT" };
    private readonly Option<string> _currency = new("--currency") { Description = "Currency of the answer.", HelpName = "CNY|USD", DefaultValueFactory = _ => "CNY" };
    private readonly Option<double> _yuan = NumberOption.Real("--yuan-per-dollar", "Rate of exchange for prices in the other currency.", 7.2);
    private readonly Option<double> _imbalance = NumberOption.Real("--imbalance", "Rows of the busiest expert rank over the mean.", 1.2);
    private readonly Option<int> _sequence = NumberOption.Whole("--sequence-length", "Tokens in a sequence; 0 takes the recipe's, or 4096.", 0, least: 0);
    private readonly Option<int> _sequences = NumberOption.Whole("--sequences", "Sequences in an update; 0 takes the recipe's, or 1024.", 0, least: 0);
    private readonly Option<int> _maxDevices = NumberOption.Whole("--max-devices", "Most devices of a fleet.", 16384, least: 1);
    private readonly Option<string?> _recompute = new("--recompute") { Description = "What backward computes again; chosen unless given.", HelpName = "none|selective|full" };
    private readonly Option<double> _software = NumberOption.Real("--software-year", "Date of the software, as in 2024.5; 0 for that of the measurements.", 0);
    private readonly Option<bool> _zeroBubble = new("--zero-bubble") { Description = "Consider zero-bubble schedules, which few training programs have." };
    private readonly Option<bool> _pareto = new("--pareto") { Description = "Show the fleets that no other beats in cost, time and risk at once." };
    private readonly Option<bool> _mixed = new("--mixed") { Description = "Consider fleets of two kinds of devices too." };
    private readonly Option<string> _sync = new("--sync") { Description = "step: replicas exchange every step. edit: consider islands that exchange by the clock too (EDiT), which changes what is learnt.", HelpName = "step|edit", DefaultValueFactory = _ => "step" };
    private readonly Option<double> _editTokenFactor = NumberOption.Real("--edit-token-factor", "With --sync edit: tokens it needs over those of synchronous training, from an experiment of yours.", 1);
    private readonly Option<double> _stragglerShare = NumberOption.Real("--straggler-share", "Share of a device's steps that are slow; whoever exchanges every step waits for it.", 0);
    private readonly Option<double> _stragglerSlowdown = NumberOption.Real("--straggler-slowdown", "How much longer a slow step takes, with --straggler-share: 0.66 for two thirds.", 0);
    private readonly Option<bool> _fp8 = new("--fp8") { Description = "Products may read FP8 where the chip has it." };

    /// <summary>The page to write.</summary>
    public Option<string?> Html { get; } = new("--html") { Description = "Write the plan as one HTML file.", HelpName = "FILE" };

    /// <summary>The program whose words the best plan is printed in.</summary>
    public Option<string?> Export { get; } = new("--export") { Description = "Print the best plan in the words of another program instead.", HelpName = "megatron|deepspeed|recipe" };

    /// <summary>The machine that a recipe is predicted on.</summary>
    public Option<string?> Here { get; } = PlanHere.Option();

    /// <summary>A run to set beside the prediction.</summary>
    public Option<string?> Happened { get; } = new("--run") { Description = "With --here: set beside it what this run of the recipe did.", HelpName = "RUN" };

    public void AddTo(Command command)
    {
        Export.AcceptOnly("megatron", "deepspeed", "recipe");
        _currency.AcceptOnly("CNY", "USD");
        _recompute.AcceptOnly("none", "selective", "full");
        _sync.AcceptOnly("step", "edit");
        foreach (Option option in (Option[])[.. OfTheSearch, GlobalOptions.Json, Here, Happened, Html, Export])
            command.Add(option);
    }

    /// <summary>Where devices come from.</summary>
    public DeviceOptions Devices { get; } = new();

    private IReadOnlyList<Option> OfTheSearch =>
    [
        _tokens, .. Devices.All, _layout, _deadline, _budget, _currency, _yuan, _imbalance, _sequence, _sequences, _maxDevices, _recompute,
        _software, _zeroBubble, _pareto, _mixed, _fp8, _sync, _editTokenFactor, _stragglerShare, _stragglerSlowdown,
    ];

    /// <summary>Refuses options that others would leave without effect.</summary>
    public void RefuseIdle(ParseResult parsed)
    {
        if (IsGiven(parsed, Here))
        {
            if (((Option[])[.. OfTheSearch, GlobalOptions.Json, Html, Export]).FirstOrDefault(option => IsGiven(parsed, option)) is { } idle)
                throw new UsageException($"--here predicts one recipe on one machine, for which {idle.Name} means nothing: leave it out");
            return;
        }

        if (IsGiven(parsed, Happened))
            throw new UsageException("--run needs --here: give the file that lingotto bench --device-file wrote on the machine of the run");
        if (((Option[])[_pareto, Export, GlobalOptions.Json]).Count(option => IsGiven(parsed, option)) > 1)
            throw new UsageException("--pareto, --export and --json each say what is printed: give one of them");
        if (IsGiven(parsed, _editTokenFactor) && parsed.GetValue(_sync) != "edit")
            throw new UsageException("--edit-token-factor needs --sync edit: it counts what EDiT needs beside synchronous training");
        if (IsGiven(parsed, _layout) && ((Option[])[_recompute, _zeroBubble, _pareto, _mixed]).FirstOrDefault(option => IsGiven(parsed, option)) is { } fixedByIt)
            throw new UsageException($"--layout leaves nothing to choose for {fixedByIt.Name}: leave one of them out");
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    public int? SequenceLength(ParseResult parsed) => parsed.GetValue(_sequence) is > 0 and var length ? length : null;

    public int? SequencesPerStep(ParseResult parsed) => parsed.GetValue(_sequences) is > 0 and var count ? count : null;

    public bool Pareto(ParseResult parsed) => parsed.GetValue(_pareto);

    public bool Mixed(ParseResult parsed) => parsed.GetValue(_mixed);

    public double Imbalance(ParseResult parsed) => parsed.GetValue(_imbalance) is >= 1 and var kappa
        ? kappa : throw new UsageException("--imbalance cannot be below 1: the busiest rank has at least the mean");

    /// <summary>Rare slow steps.</summary>
    public Stragglers Stragglers(ParseResult parsed)
    {
        double share = parsed.GetValue(_stragglerShare), longer = parsed.GetValue(_stragglerSlowdown);
        if (share is not (>= 0 and <= 1))
            throw new UsageException("--straggler-share must be a share, 0 to 1");
        if (share > 0 && longer == 0)
            throw new UsageException("--straggler-share needs --straggler-slowdown: give how much longer a slow step takes on your devices, such as 0.66");
        if (share == 0 && longer > 0)
            throw new UsageException("--straggler-slowdown needs --straggler-share: give which share of a device's steps is slow, such as 0.004");
        return longer is >= 0 and < 1000 ? new Stragglers(longer, share) : throw new UsageException("--straggler-slowdown must be at least 0 and below 1000");
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
            YuanPerDollar = parsed.GetValue(_yuan) is > 0 and var rate ? rate : throw new UsageException("--yuan-per-dollar must be above 0"),
            MaxDevices = parsed.GetValue(_maxDevices),
            Stock = stock,
            Layout = parsed.GetValue(_layout) is { } layout ? LayoutText.Parse(layout) : null,
            Recompute = parsed.GetValue(_recompute) is { } kind ? Enum.Parse<Recompute>(kind, ignoreCase: true) : null,
            SoftwareYear = parsed.GetValue(_software) is var year and (0 or (> 2015 and < 2040))
                ? year : throw new UsageException("--software-year must be a year such as 2024.5"),
            AllowsZeroBubble = parsed.GetValue(_zeroBubble),
            AllowsFp8 = parsed.GetValue(_fp8),
            AllowsEdit = parsed.GetValue(_sync) == "edit",
            EditTokenFactor = parsed.GetValue(_editTokenFactor) is >= 1 and < 100 and var factor
                ? factor : throw new UsageException("--edit-token-factor must be at least 1 and below 100: islands that exchange seldom learn no more from a token"),
        };
    }

    /// <summary>1T, 300B, 6.35M, 1e12.</summary>
    private static double Amount(string option, string text)
    {
        double factor = text.Length == 0 ? 1 : char.ToUpperInvariant(text[^1]) switch { 'K' => 1e3, 'M' => 1e6, 'B' => 1e9, 'T' => 1e12, _ => 1 };
        return double.TryParse(factor == 1 ? text : text[..^1], NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number * factor is > 0 and < 1e30
            ? number * factor : throw new UsageException($"{option} cannot be '{text}': give an amount above 0 such as 300B or 1T");
    }
}
