using System.Globalization;
using System.Text.RegularExpressions;

namespace Lingotto.Planning;

/// <summary>
/// Rows to runs. What a table leaves out is inferred by rules, most of them for one source: a micro-batch that nobody printed is the one
/// the model finds fastest (its authors tuned it), and so is a number of chunks; weights are shared (ZeRO-3) where sharing the optimizer alone does not fit;
/// recomputation that nobody printed is none where that fits, else selective.
/// </summary>
internal sealed partial class MeasurementReader(DeviceCatalogue catalogue, EfficiencyTable efficiencies, PublishedShapes shapes)
{
    private static readonly Dictionary<string, string> s_devices = new()
    {
        ["A100-80G-SXM"] = "a100-80g-sxm",
        ["A100-SXM"] = "a100-80g-sxm",
        ["a100_80gb"] = "a100-80g-sxm",
        ["a100_40gb"] = "a100-40g-sxm",
        ["h100_80gb"] = "h100-sxm",
        ["H100-SXM"] = "h100-sxm",
        ["H100-SXM (700W)"] = "h100-sxm",
        ["DGX-H100"] = "h100-sxm",
        ["DGX-B200"] = "b200-sxm",
        ["DGX-GB200"] = "gb200-nvl72",
    };

    /// <summary>Groups whose rows time steps of one kind of device. Ling's own rows are not among them: nothing is fitted to them.</summary>
    private static readonly Dictionary<string, double> s_years = new()
    {
        ["megatron-a100"] = 2021.3,
        ["korthikanti-a100"] = 2022.4,
        ["vtrain-multi"] = 2023,
        ["foundry"] = 2023.9,
        ["megatron-bridge"] = 0,
        ["moe-modelzoo"] = 2025.4,
        ["llama3"] = 2024.3,
    };

    private static readonly int[] s_sizes = [1, 2, 4, 8];

    /// <summary>Natural routing over forced balance in the same table (Megatron-MoE-ModelZoo, Qwen3-235B) costs 9 to 24 % of speed.</summary>
    private const double NaturalImbalance = 1.25;

    /// <summary>All rows that the model can express, and why the others are left out, by reason.</summary>
    public (List<MeasuredRun> Runs, SortedDictionary<string, int> LeftOut) Read(IReadOnlyList<Measurement> rows)
    {
        var runs = new List<MeasuredRun>();
        var leftOut = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (Measurement row in rows)
        {
            string? reason = Try(row, out MeasuredRun? run);
            if (run is not null)
                runs.Add(run);
            else
                leftOut[$"{row.Group}: {reason}"] = leftOut.GetValueOrDefault($"{row.Group}: {reason}") + 1;
        }

        return (runs, leftOut);
    }

    private string? Try(Measurement row, out MeasuredRun? run)
    {
        run = null;
        if (!s_years.TryGetValue(row.Group, out double year))
            return row.Group.StartsWith("ling", StringComparison.Ordinal) ? "held out: no row of Ling enters a fit that a plan uses" : "compared elsewhere";
        if (!s_devices.TryGetValue(row.Device, out string? device))
            return "a device that is not named";
        if (shapes.Find(row) is not { } shape)
            return "a network that the model does not cover";
        if (row.Group == "megatron-bridge")
            year = ReleaseYear(row.Source);
        var work = new Workload
        {
            Model = shape,
            SequenceLength = row.Whole("seq"),
            SequencesPerStep = row.Whole("gbs"),
            Precision = PrecisionOf(row.Precision),
            HasFusedAttention = row.Group is not ("megatron-a100" or "korthikanti-a100" or "vtrain-multi"),
            ExpertImbalance = row.Notes.Contains("natural", StringComparison.Ordinal) || row.Notes.Contains("dropless stable", StringComparison.Ordinal)
                ? NaturalImbalance : 1,
            DataOverlap = row.Group is "megatron-a100" or "korthikanti-a100" or "vtrain-multi" ? 0 : 0.9, // Megatron-LM overlaps since 2023.
            OverlapsTransfers = row.Group is not ("megatron-a100" or "korthikanti-a100"),
            SendsOncePerNode = row.Notes.Contains("DeepEP", StringComparison.Ordinal),
            ExpertOverlap = row.Notes.Contains("EP overlap", StringComparison.Ordinal) ? 0.8 : 0,
        };
        DeviceSpec spec = catalogue[device];
        Layout layout = Complete(row, work, LayoutOf(row), DeviceEstimate.Of(spec, catalogue, efficiencies));
        double seconds = row.StepSeconds ?? (row.TokensPerSecondAndDevice is { } rate
            ? work.TokensPerStep / (rate * layout.Devices) : Flops(row, work) / (row.TeraflopsPerDevice!.Value * 1e12 * layout.Devices));
        run = new MeasuredRun { Row = row, Device = spec, Work = work, Layout = layout, Year = year, StepSeconds = seconds };
        return null;
    }

    private static Layout LayoutOf(Measurement row)
    {
        Match match = MixtralLayout().Match(row.Notes);
        int Given(string column, int group) => match.Success ? int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture) : row.Whole(column);
        return new Layout
        {
            Devices = row.Whole("n_devices"),
            Tensor = Given("tp", 1),
            Expert = Given("ep", 2),
            Pipeline = Given("pp", 3),
            Chunks = Given("vpp", 4),
            Context = row.Whole("cp"),
            MicroBatch = row.Whole("mbs"),
            // Llama 3 shares state and gradients but keeps gathered weights (arXiv 2407.21783 section 3.3.2).
            Zero = row.Sharding.StartsWith("FSDP", StringComparison.Ordinal) && row.Group != "llama3"
                ? row.Sharding.Contains("GRAD", StringComparison.Ordinal) ? ZeroStage.Gradients : ZeroStage.Weights
                : row.Group is "megatron-a100" or "korthikanti-a100" or "vtrain-multi" ? ZeroStage.None : ZeroStage.Optimizer,
            Recompute = row.Recompute switch { "full" => Recompute.Full, "" or "none" => Recompute.None, _ => Recompute.Selective },
            SplitsSequence = row.Group is not ("megatron-a100" or "vtrain-multi") && !(row.Group == "korthikanti-a100" && row.Recompute == "full"),
        };
    }

    private static Layout Complete(Measurement row, Workload work, Layout layout, DeviceEstimate device)
    {
        DeviceRates rates = device.Rates(work.Precision);
        if (row.Number("mbs") is null && row.Group == "megatron-a100")
        {
            return s_sizes.Where(size => work.SequencesPerStep % (size * layout.Data) == 0).Select(size => layout with { MicroBatch = size })
                .MinBy(choice => StepModel.Evaluate(work, choice, rates).Total);
        }

        if (row.Group == "llama3")
        {
            // Interleaved, chunks not printed (arXiv 2407.21783 section 3.3.2).
            return s_sizes.Where(chunks => layout.Pipeline * chunks <= work.Model.Layers).Select(chunks => layout with { Chunks = chunks })
                .MinBy(choice => StepModel.Evaluate(work, choice, rates).Total);
        }

        if (row.Group != "megatron-bridge")
            return layout;
        ReadOnlySpan<ZeroStage> sharing = layout.Pipeline == 1 ? [ZeroStage.Optimizer, ZeroStage.Weights] : [ZeroStage.Optimizer];
        foreach (ZeroStage zero in sharing)
        {
            foreach (Recompute recompute in (ReadOnlySpan<Recompute>)[Recompute.None, Recompute.Selective])
            {
                Layout choice = layout with { Zero = zero, Recompute = recompute };
                if (MemoryModel.Peak(work, choice).Total <= rates.MemoryBytes)
                    return choice;
            }
        }

        return layout with { Recompute = Recompute.Selective, Zero = sharing[^1] };
    }

    /// <summary>FLOPs of an update as the source of a FLOP/s figure counts them: Megatron 2021 counts recomputation and whole scores.</summary>
    private static double Flops(Measurement row, Workload work)
    {
        ModelShape model = work.Model;
        if (row.Group != "megatron-a100")
            return model.FlopsPerToken(work.SequenceLength) * work.TokensPerStep;
        double s = work.SequenceLength, h = model.Hidden, l = model.Layers;
        return 96.0 * work.SequencesPerStep * s * l * h * h * (1 + s / (6 * h) + model.Vocabulary / (16 * l * h));
    }

    private static Precision PrecisionOf(string name) => name switch
    {
        "NVFP4" => Precision.Fp4,
        _ when name.Contains("fp8", StringComparison.OrdinalIgnoreCase) || name == "see note" => Precision.Fp8,
        _ => Precision.Bf16,
    };

    private static double ReleaseYear(string source)
    {
        Match match = Release().Match(source);
        return 2000 + int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
            + int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture) / 12.0;
    }

    [GeneratedRegex(@"TP(\d+) EP(\d+) PP(\d+) VP(\d+)")]
    private static partial Regex MixtralLayout();

    [GeneratedRegex(@": (\d\d)\.(\d\d)")]
    private static partial Regex Release();
}
