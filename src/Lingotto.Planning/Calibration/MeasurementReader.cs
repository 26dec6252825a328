using System.Globalization;
using System.Text.RegularExpressions;

namespace Lingotto.Planning;

/// <summary>
/// Converts rows to runs. Values come from the row, from what is known about its source (<see cref="MeasurementSource"/>), or from a rule
/// of <see cref="LeftOut"/>.
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

    private static readonly int[] s_sizes = [1, 2, 4, 8];

    /// <summary>
    /// Imbalance of natural routing: it loses 9 to 24 % of speed against forced balance in the same table (Megatron-MoE-ModelZoo,
    /// Qwen3-235B).
    /// </summary>
    private const double NaturalImbalance = 1.25;

    /// <summary>Returns the runs, and the number of rows that the model cannot express by reason.</summary>
    public (List<MeasuredRun> Runs, SortedDictionary<string, int> LeftOut) Read(IReadOnlyList<Measurement> rows)
    {
        var runs = new List<MeasuredRun>();
        var leftOut = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (Measurement row in rows)
        {
            string? reason = Try(row, out MeasuredRun? run);
            if (run is not null)
            {
                runs.Add(run);
            }
            else
            {
                leftOut[$"{row.Group}: {reason}"] = leftOut.GetValueOrDefault($"{row.Group}: {reason}") + 1;
            }
        }

        return (runs, leftOut);
    }

    private string? Try(Measurement row, out MeasuredRun? run)
    {
        run = null;
        if (MeasurementSource.Find(row.Group) is not { } source)
        {
            return row.Group.StartsWith("ling", StringComparison.Ordinal)
                ? "held out: no row of Ling enters a fit that a plan uses" : "compared elsewhere";
        }

        if (!s_devices.TryGetValue(row.Device, out string? device))
        {
            return "a device that is not named";
        }

        if (shapes.Find(row) is not { } shape)
        {
            return "a network that the model does not cover";
        }

        var work = new Workload
        {
            Model = shape,
            SequenceLength = row.Whole("seq"),
            SequencesPerStep = row.Whole("gbs"),
            Precision = PrecisionOf(row.Precision),
            HasFusedAttention = source.HasFusedAttention,
            ExpertImbalance = row.Notes.Contains("natural", StringComparison.Ordinal)
                || row.Notes.Contains("dropless stable", StringComparison.Ordinal) ? NaturalImbalance : 1,
            DataOverlap = source.OverlapsTraffic ? 0.9 : 0,
            OverlapsTransfers = source.OverlapsTraffic,
            SendsOncePerNode = row.Notes.Contains("DeepEP", StringComparison.Ordinal),
            ExpertOverlap = row.Notes.Contains("EP overlap", StringComparison.Ordinal) ? 0.8 : 0,
        };
        DeviceSpec spec = catalogue[device];
        Layout layout = Complete(row, source, work, LayoutOf(row, source), EstimatedDevice.Of(spec, catalogue, efficiencies));
        double seconds = row.StepSeconds ?? (row.TokensPerSecondAndDevice is { } rate
            ? work.TokensPerStep / (rate * layout.Devices) : Flops(source, work) / (row.TeraflopsPerDevice!.Value * 1e12 * layout.Devices));
        run = new MeasuredRun
        {
            Row = row,
            Device = spec,
            Work = work,
            Layout = layout,
            Year = source.Year ?? ReleaseYear(row.Source),
            StepSeconds = seconds,
        };
        return null;
    }

    private static Layout LayoutOf(Measurement row, MeasurementSource source)
    {
        Match match = MixtralLayout().Match(row.Notes);
        int Given(string column, int group) => match.Success
            ? int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture) : row.Whole(column);
        return new Layout
        {
            Devices = row.Whole("n_devices"),
            Tensor = Given("tp", 1),
            Expert = Given("ep", 2),
            Pipeline = Given("pp", 3),
            Chunks = Given("vpp", 4),
            Context = row.Whole("cp"),
            MicroBatch = row.Whole("mbs"),
            Zero = row.Sharding.StartsWith("FSDP", StringComparison.Ordinal) && !source.KeepsGatheredWeights
                ? row.Sharding.Contains("GRAD", StringComparison.Ordinal) ? ZeroStage.Gradients : ZeroStage.Weights : source.Zero,
            Recompute = row.Recompute switch { "full" => Recompute.Full, "" or "none" => Recompute.None, _ => Recompute.Selective },
            SplitsSequence = source.SplitsSequence && !(source.SplitsSequenceUnlessFull && row.Recompute == "full"),
        };
    }

    private static Layout Complete(Measurement row, MeasurementSource source, Workload work, Layout layout, EstimatedDevice device)
    {
        DeviceRates rates = device.Rates(work.Precision);
        if (row.Number("mbs") is null && source.LeftOut == LeftOut.MicroBatch)
        {
            return s_sizes.Where(size => work.SequencesPerStep % (size * layout.Data) == 0)
                .Select(size => layout with { MicroBatch = size })
                .MinBy(choice => StepModel.Evaluate(work, choice, rates).Total);
        }

        if (source.LeftOut == LeftOut.Chunks)
        {
            return s_sizes.Where(chunks => layout.Pipeline * chunks <= work.Model.Layers).Select(chunks => layout with { Chunks = chunks })
                .MinBy(choice => StepModel.Evaluate(work, choice, rates).Total);
        }

        if (source.LeftOut != LeftOut.Sharing)
        {
            return layout;
        }

        ReadOnlySpan<ZeroStage> sharing = layout.Pipeline == 1 ? [ZeroStage.Optimizer, ZeroStage.Weights] : [ZeroStage.Optimizer];
        foreach (ZeroStage zero in sharing)
        {
            foreach (Recompute recompute in (ReadOnlySpan<Recompute>)[Recompute.None, Recompute.Selective])
            {
                Layout choice = layout with { Zero = zero, Recompute = recompute };
                if (MemoryModel.Peak(work, choice).Total <= rates.MemoryBytes)
                {
                    return choice;
                }
            }
        }

        return layout with { Recompute = Recompute.Selective, Zero = sharing[^1] };
    }

    /// <summary>
    /// Returns the FLOPs of an update as the source of a FLOP/s figure counts them. Megatron 2021 counts recomputation and unmasked scores.
    /// </summary>
    private static double Flops(MeasurementSource source, Workload work)
    {
        ModelShape model = work.Model;
        if (!source.CountsRecomputation)
        {
            return model.FlopsPerToken(work.SequenceLength) * work.TokensPerStep;
        }

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
