using System.CommandLine;
using Lingotto.Diagnostics;
using Lingotto.Formats;
using Lingotto.Planning;

namespace Lingotto.Cli;

/// <summary>lingotto bench: what this machine can do, and what of it training gets.</summary>
internal static class BenchCommand
{
    public static Command Create(CliContext context)
    {
        var data = new Option<string[]>("--data")
        {
            Description = "Text for the tokenizer; the .NET documentation when absent.",
            HelpName = "PATH"
        };
        var json = new Option<string?>("--json") { Description = "Also write the report to this file.", HelpName = "FILE" };
        var saves =
            new Option<bool>("--saves") { Description = "Measure instead what saving a 1.4 GB state costs training; two minutes or more." };
        var trace = new Option<bool>("--trace") { Description = "Measure instead what pretrain --trace costs training; four minutes." };
        var deviceFile = new Option<string?>("--device-file")
        {
            Description = "Also describe this machine as a device that plan reads: here.json.",
            HelpName = "FILE",
        };
        var command = new Command(
            "bench",
            "Measure peaks, products, a training step and the tokenizer; about a minute. Example: lingotto bench --device-file here.json") { data, json, deviceFile, saves, trace };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(saves))
            {
                MeasureSaves(context, parsed);
                return;
            }

            if (parsed.GetValue(trace))
            {
                MeasureTrace(context, parsed);
                return;
            }

            using var progress = new ProgressLine(context.Terminal, parsed.GetValue(GlobalOptions.Quiet));
            BenchReport report = Bench.Run(
                parsed.GetValue(GlobalOptions.Threads), context.AssetFolder, parsed.GetValue(data) ?? [], stage =>
                {
                    context.Cancellation.ThrowIfCancellationRequested();
                    progress.Report(() => stage);
                });
            progress.Dispose();
            Write(report, context.Terminal.Out);
            if (parsed.GetValue(json) is { } path)
            {
                DurableFile.WriteAllText(path, report.ToJson());
            }
            if (parsed.GetValue(deviceFile) is { } device)
            {
                DeviceCatalogue.WriteDevice(BenchDevice.Of(report, Path.GetFileNameWithoutExtension(device), context.AssetFolder), device);
            }
        });
        return command;
    }

    private static void MeasureSaves(CliContext context, ParseResult parsed)
    {
        const int pairs = 8, stepsPerSave = 100;
        SaveCost cost = SaveMeasurement.Run(
            parsed.GetValue(GlobalOptions.Threads), context.AssetFolder, pairs, stage => Show(context, parsed, stage),
            context.Cancellation);
        context.Terminal.Out.WriteLine(FormattableString.Invariant(
            $"a save of {cost.Bytes / 1e9:F2} GB pauses training for {cost.StallSeconds:F2} s (median of {cost.Pairs}) and costs it {cost.MeanSeconds:F2} s in all, at most {cost.UpperSeconds:F2} s with 95 % confidence"));
        context.Terminal.Out.WriteLine(FormattableString.Invariant(
            $"every {stepsPerSave} steps of {cost.SecondsPerStep:F2} s that is at most {100 * cost.ShareOf(stepsPerSave):F2} % of wall time"));
    }

    private static void MeasureTrace(CliContext context, ParseResult parsed)
    {
        const int pairs = 80;
        TraceCost cost = TraceMeasurement.Run(
            parsed.GetValue(GlobalOptions.Threads), context.AssetFolder, pairs, stage => Show(context, parsed, stage),
            context.Cancellation);
        context.Terminal.Out.WriteLine(FormattableString.Invariant(
            $"{cost.RecordsPerStep:N0} records a step of {cost.SecondsPerStep:F2} s cost {100 * cost.Share:F2} % of it, at most {100 * cost.UpperShare:F2} % with 95 % confidence ({cost.Pairs} pairs, Hodges-Lehmann; by the mean {100 * cost.MeanShare:F2} %, at most {100 * cost.UpperMeanShare:F2} %)"));
        context.Terminal.Out.WriteLine(FormattableString.Invariant(
            $"a file of {cost.FileBytes / 1e6:F1} MB takes {cost.WriteSeconds:F2} s every {cost.WriteIntervalSeconds:F0} s: at most {100 * cost.WriteShare:F2} % more, {100 * (cost.UpperShare + cost.WriteShare):F2} % in all"));
    }

    private static void Show(CliContext context, ParseResult parsed, string stage)
    {
        if (!parsed.GetValue(GlobalOptions.Quiet))
        {
            context.Terminal.Error.WriteLine(stage);
        }
    }

    private static void Write(BenchReport report, TextWriter output)
    {
        void Line(FormattableString text) => output.WriteLine(FormattableString.Invariant(text));
        Line($"{report.Device}");
        Line($"peak f32      {report.Peaks.F32Gflops.One,8:F0} GFLOP/s one thread  {report.Peaks.F32Gflops.All,8:F0} all");
        if (report.Peaks.Bf16Gflops is { } bf16)
        {
            Line($"peak bf16     {bf16.One,8:F0} GFLOP/s one thread  {bf16.All,8:F0} all");
        }
        Line($"memory reads  {report.Peaks.ReadGBs.One,8:F1} GB/s one thread     {report.Peaks.ReadGBs.All,8:F1} all");
        output.WriteLine();
        foreach (BenchMatMul p in report.Matmul)
        {
            Line(
                $"{p.Precision,-4} {p.M,5} x {p.N,5} x {p.K,5}  {p.Threads} thread{(p.Threads == 1 ? " " : "s")}  {p.Gflops,6:F0} GFLOP/s  {p.FractionOfPeak,4:P0} of peak");
        }
        if (report.Train.Bf16 is { } step)
        {
            Write("bf16", step, output);
        }
        Write("f32", report.Train.F32, output);
        output.WriteLine();
        Line(
            $"a quarter as wide  {report.Train.Narrow.TokensPerSecond:N0} tokens/s  {report.Train.Narrow.Gflops:F0} GFLOP/s  {report.Train.Narrow.FractionOfPeak:P0} of peak");
        Line(
            $"generation    {report.Generation.MillisecondsAt16:F2} ms a token at position 16, {report.Generation.MillisecondsAt256:F2} at 256: {report.Generation.Ratio:F2} times");
        Line(
            $"tokenizer     {report.Tokenizer.VocabSize:N0} entries from {report.Tokenizer.TrainMegabytes:F0} MB in {report.Tokenizer.TrainSeconds:F1} s  encodes {report.Tokenizer.EncodeMBs:F0} MB/s a core");
    }

    private static void Write(string precision, BenchTrainStep train, TextWriter output)
    {
        void Line(FormattableString text) => output.WriteLine(FormattableString.Invariant(text));
        output.WriteLine();
        Line($"training {precision,-4} {train.TokensPerSecond:N0} tokens/s  {train.Gflops:F0} GFLOP/s  {train.FractionOfPeak:P0} of peak");
        Line(
            $"              {train.AllocatedBytesPerStep} managed bytes a step  {Figures.Bytes(train.PeakRssBytes)} resident at most  {Figures.Bytes(train.PlannedBytes)} planned");
        double whole = train.Breakdown.Values.Sum();
        foreach ((string kernel, double seconds) in train.Breakdown)
        {
            Line($"  {kernel,-28} {seconds,7:F3} s  {seconds / whole,4:P0}");
        }
    }
}
