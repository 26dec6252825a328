using System.CommandLine;
using Lingotto.Compute;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Cli;

/// <summary>lingotto doctor: what this machine offers, and whether its arithmetic is right.</summary>
internal static class DoctorCommand
{
    public static Command Create(CliContext context)
    {
        var conformance = new Option<bool>("--conformance")
        {
            Description = "Compare every operation with the double-precision reference; about a minute.",
        };
        var command = new Command("doctor", "Show what this machine offers, and check it.") { conformance };
        command.SetAction(parsed =>
        {
            using Device device = DeviceSelection.Open(threads: parsed.GetValue(GlobalOptions.Threads));
            Describe(device, context.Terminal.Out);
            return parsed.GetValue(conformance) ? Check(device, context.Terminal.Out) : ExitCodes.Done;
        });
        return command;
    }

    private static void Describe(Device device, TextWriter output)
    {
        void Row(string name, string value) => output.WriteLine($"{name,-10} {value}");
        var machine = Machine.Here(device.Description.TotalBytes);
        Row("system", machine.System);
        Row("runtime", machine.Runtime);
        Row("chip", machine.Chip);
        DeviceDescription description = device.Description;
        Row("path",
            $"{description.InstructionSet} (devices here: {string.Join(", ", DeviceSelection.Available)}; "
            + $"{DeviceSelection.PathVariable}=vector128, avx2 or avx512 forces one)");
        Row("f32", $"{description.F32}");
        Row("bf16", $"{description.Bf16}");
        Row("threads", FormattableString.Invariant($"{description.Workers}"));
        Row("memory", $"{Figures.Bytes(device.AvailableBytes)} available to this process");
        Row("peak",
            FormattableString.Invariant($"{device.MeasurePeak(workers: 1):F0} GFLOP/s one thread, {device.MeasurePeak():F0} all (f32)"));
        if (device.HasBf16Products)
        {
            Row("", FormattableString.Invariant(
                $"{device.MeasurePeak(DType.BF16, 1):F0} GFLOP/s one thread, {device.MeasurePeak(DType.BF16):F0} all (bf16)"));
        }
        Row("text", DefaultCorpus());
    }

    private static string DefaultCorpus()
    {
        try
        {
            return FormattableString.Invariant($"{DotNetDocs.Find().Count} files of .NET documentation for the quickstart");
        }
        catch (FileNotFoundException e)
        {
            return e.Message;
        }
    }

    private static int Check(Device device, TextWriter output)
    {
        output.WriteLine();
        IReadOnlyList<ConformanceResult> results = ConformanceRunner.Run(device);
        foreach (ConformanceResult result in results)
        {
            output.WriteLine(result);
        }
        ConformanceResult[] failed = [.. results.Where(result => !result.Passed)];
        if (failed.Length > 0)
        {
            throw new RunException(
                $"{failed.Length} of {results.Count} checks failed on this machine, first {failed[0].Name}: report it with the lines "
                + "above.");
        }
        output.WriteLine(FormattableString.Invariant($"all {results.Count} checks passed"));
        return ExitCodes.Done;
    }
}
