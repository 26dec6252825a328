using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>tensorboard/: the curves of metrics.jsonl as event files, one a session. Not finite values are written as they are.</summary>
internal sealed class TensorBoardLog : IDisposable
{
    private readonly TensorBoardEventWriter _writer;
    private readonly TimeProvider _time;

    public TensorBoardLog(string folder, long resumedStep, Action<string> warn, TimeProvider time)
    {
        _time = time;
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, TensorBoardEventWriter.FileName(time.GetUtcNow()));
        _writer = new TensorBoardEventWriter(
            new FailOpenStream(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0), warn),
            time.GetUtcNow(), resumedStep + 1);
    }

    public void Write(StepMetrics m)
    {
        List<(string, double)> scalars =
        [
            ("loss/train", m.Loss), ("schedule/learning_rate", m.LearningRate), ("gradient/norm", m.GradNorm),
                ("speed/tokens_per_second", m.TokensPerSecond),
            ("speed/fraction_of_peak", m.FractionOfPeak), ("memory/resident_bytes", m.ResidentBytes),
        ];
        if (m.ExpertLoad.Count > 0)
        {
            scalars.AddRange([("router/balance_loss", m.BalanceLoss), ("router/z_loss", m.ZLoss),
                ("router/max_expert_load", m.MaxExpertLoad)]);
        }

        if (m.MtpLoss is { } next)
        {
            scalars.Add(("loss/token_after_next", next));
        }

        if (m.Cost is { } cost)
        {
            scalars.Add(("cost/so_far", cost));
        }

        if (m.CostPerTrillionTokens is { } perTrillion)
        {
            scalars.Add(("cost/per_trillion_tokens", perTrillion));
        }

        if (m.KilowattHours is { } energy)
        {
            scalars.Add(("cost/kilowatt_hours", energy));
        }

        _writer.Write(_time.GetUtcNow(), m.Step, scalars);
    }

    public void Write(EvaluationMetrics m) =>
        _writer.Write(_time.GetUtcNow(), m.Step, [("loss/held_out", m.Loss), ("loss/held_out_bits_per_byte", m.BitsPerByte)]);

    public void Dispose() => _writer.Dispose();
}
