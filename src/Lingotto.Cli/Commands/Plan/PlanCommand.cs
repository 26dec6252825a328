using System.CommandLine;
using Lingotto.Formats;
using Lingotto.Planning;
using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>lingotto plan: predicts which devices, how many, how long and at what cost.</summary>
internal static class PlanCommand
{
    private const string Examples = """
        Find the cheapest fleet and layout for a training run among the devices of the catalogue, before spending anything. Examples:
          lingotto plan models/ling-plus.json --tokens 1T
          lingotto plan ling-plus --tokens 1T --devices ling-a,h800-sxm --deadline 90d
          lingotto plan ling-lite --tokens 300B --no-vendor nvidia --currency USD
          lingotto plan ling-plus --tokens 9T --stock ling-a=2000,ling-d=500 --devices ling-a,ling-d --deadline 60d --mixed
          lingotto plan ling-lite --tokens 300B --pareto
          lingotto plan ling-plus --devices h800 --layout "t2 p30 e8 d4 b1 zero-1 recompute-full"
          lingotto plan ling-plus --tokens 1T --sync edit --straggler-share 0.004 --straggler-slowdown 0.66
          lingotto bench --device-file here.json; lingotto plan quickstart --here here.json --run runs/quickstart
          lingotto plan ling-lite --tokens 300B --html plan.html --export megatron
        """;

    public static Command Create(CliContext context)
    {
        var model = new Argument<string>("MODEL")
        {
            Description = "A config.json, a folder with one, or the name of a model that comes with lingotto.",
        };
        var options = new PlanOptions();
        var command = new Command("plan", Examples) { model };
        options.AddTo(command);
        command.Add(PlanCalibrateCommand.Create(context));
        command.Add(PlanSimulateCommand.Create(context));
        command.SetAction(parsed =>
        {
            options.RefuseUnused(parsed);
            if (parsed.GetValue(options.Here) is { } machine)
            {
                return PlanHere.Write(parsed.GetRequiredValue(model), machine, parsed.GetValue(options.Run), context);
            }

            string path = Locate(parsed.GetRequiredValue(model), context.AssetFolder);
            string name = Path.GetFileNameWithoutExtension(path);
            Workload work = Work(ModelFile.Read(path, name), name, parsed, options, context.AssetFolder);
            PlanResult result = Search(parsed, options, work, context);
            if (parsed.GetValue(options.Html) is { } page)
            {
                WritePage(result, page);
            }

            bool isAnswered = result.Ranked.Count > 0 || result.Mixed is not null;
            if (options.Pareto(parsed) && isAnswered)
            {
                PlanView.WriteParetoFront(ParetoFront.Of(result), result.Request.Currency, context.Terminal.Out);
            }
            else
            {
                Print(result, parsed.GetValue(options.Export), parsed.GetValue(GlobalOptions.Json), context.Terminal);
            }

            return isAnswered ? ExitCodes.Done
                : throw new PlanException(
                    "no device with a price has a plan: see the reason and what to change in the line of each device");
        });
        return command;
    }

    private static PlanResult Search(ParseResult parsed, PlanOptions options, Workload work, CliContext context)
    {
        DeviceCatalogue catalogue = options.Devices.Catalogue(parsed, DeviceCatalogue.Load(Path.Combine(context.AssetFolder, "devices")));
        EfficiencyTable efficiencies = EfficiencyTable.Load(Path.Combine(context.AssetFolder, "devices", "calibration"));
        IReadOnlyList<DeviceSpec> selected = options.Devices.Selected(parsed, catalogue);
        DeviceSpec[] unknown = options.Devices.AreNamed(parsed)
            ? [] : [.. selected.Where(device => EstimatedDevice.Unknown(device) is not null)];
        PlanRequest request = options.Request(parsed, work, options.Devices.Stock(parsed, catalogue, selected));
        EstimatedDevice[] devices = [.. selected.Except(unknown).Select(device => EstimatedDevice.Of(device, catalogue, efficiencies))];
        if (request.AllowsFp8 && !devices.Any(device => device.HasFp8))
        {
            throw new UsageException("--fp8: none of the devices has FP8: leave it out, or name other devices");
        }

        PlanResult result = Planner.Run(request, devices, options.Mixed(parsed), context.Cancellation);
        return result with
        {
            Rejected =
            [
                .. result.Rejected,
                .. unknown.Select(device => new RejectedDevice(device.Name, EstimatedDevice.Unknown(device)!, null)),
            ],
        };
    }

    private static void WritePage(PlanResult result, string file)
    {
        using var text = new StringWriter();
        PlanPage.Write(result, text);
        DurableFile.WriteAllText(file, text.ToString());
    }

    private static void Print(PlanResult result, string? export, bool isJson, Terminal terminal)
    {
        TextWriter output = terminal.Out;
        Plan? best = export is null ? null : LayoutExport.Best(result);
        switch (export)
        {
            case "megatron":
                output.Write(LayoutExport.Megatron(best!, result.Request.Work));
                break;
            case "deepspeed":
                output.Write(LayoutExport.DeepSpeed(best!, result.Request.Work));
                terminal.Error.WriteLine(
                    $"parallelism other than ZeRO belongs to the launcher: {best!.Layout} on {best.Layout.Devices} devices");
                break;
            case "recipe":
                output.Write(LayoutExport.Recipe(best!, result.Request.Work, result.Request.Currency));
                break;
            case null when isJson:
                output.WriteLine(PlanJson.Of(result));
                break;
            default:
                PlanView.Write(result, output);
                break;
        }
    }

    /// <summary>Returns the path of a config.json, of a folder with one, or of a shipped model.</summary>
    internal static string Locate(string model, string assetFolder)
    {
        string shipped = Path.Combine(assetFolder, "models", model + ".json");
        if (File.Exists(model) || Directory.Exists(model))
        {
            return model;
        }

        string[] names =
        [
            .. Directory.GetFiles(Path.Combine(assetFolder, "models"), "*.json").Select(file => Path.GetFileNameWithoutExtension(file))
                .Order(StringComparer.Ordinal),
        ];
        return names.Contains(model) ? shipped
            : throw new PlanException(
                $"{model}: no such model: give a config.json, a folder with one, or one of {string.Join(", ", names)}");
    }

    /// <summary>
    /// Returns the workload. Sequence length and batch come from the options, else from the recipe with the name of the model, else 4,096
    /// and 1,024.
    /// </summary>
    private static Workload Work(ModelShape shape, string name, ParseResult parsed, PlanOptions options, string assetFolder)
    {
        int sequence = 4096, sequences = 1024;
        if (File.Exists(Path.Combine(assetFolder, "recipes", name + ".json")))
        {
            TrainingConfig training = RecipeFile.Load(name, assetFolder, []).Training;
            (sequence, sequences) = (training.SequenceLength, training.SequencesPerMicroBatch * Math.Max(1, training.MicroBatches));
        }

        return new Workload
        {
            Model = shape,
            SequenceLength = options.SequenceLength(parsed) ?? sequence,
            SequencesPerStep = options.SequencesPerStep(parsed) ?? sequences,
            ExpertImbalance = shape.MoeLayers > 0 ? options.Imbalance(parsed) : 1,
            Stragglers = options.Stragglers(parsed),
        };
    }
}
