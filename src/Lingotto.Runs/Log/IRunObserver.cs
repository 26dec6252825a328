namespace Lingotto.Runs;

/// <summary>Hears how a run goes: a terminal view, a log, a test. Calls come from one thread, in order.</summary>
public interface IRunObserver
{
    /// <summary>
    /// A stage before the first step: reading text, training the tokenizer, packing tokens. Progress is 0 to 1, or null where unknown.
    /// </summary>
    void Preparing(string stage, double? progress);

    /// <summary>The run is about to step.</summary>
    void Started(RunSummary summary);

    /// <summary>An update is done.</summary>
    void Stepped(StepMetrics metrics);

    /// <summary>A held-out measurement is done.</summary>
    void Evaluated(EvaluationMetrics metrics);

    /// <summary>A checkpoint is on disk.</summary>
    void Saved(long step, string folder, TimeSpan time);

    /// <summary>A sample is written.</summary>
    void Sampled(string prompt, string continuation);

    /// <summary>Something beside the training failed, and the run goes on without it; one line with the remedy.</summary>
    void Warned(string message);

    /// <summary>The run ended or was asked to stop, and everything is on disk.</summary>
    void Finished(RunResult result);
}

/// <summary>What is known before the first step.</summary>
/// <param name="RunFolder">Where everything goes.</param>
/// <param name="Machine">What it runs on.</param>
/// <param name="Device">The chip and how it computes.</param>
/// <param name="TotalParameters">Of the model.</param>
/// <param name="ActiveParameters">Used by one token, both embeddings counted.</param>
/// <param name="TrainTokens">Tokens of an epoch.</param>
/// <param name="HeldOutTokens">Tokens kept out.</param>
/// <param name="TokensPerStep">Tokens of an update.</param>
/// <param name="FlopsPerToken">Of training.</param>
/// <param name="PeakGflops">Measured peak of the chip at this precision.</param>
/// <param name="PlannedBytes">Memory the run will take, the runtime included.</param>
/// <param name="ResumedStep">Step of the checkpoint that was resumed; 0 for a fresh run.</param>
/// <param name="HeldOutGzipBitsPerByte">gzip at its smallest setting on the same held-out text.</param>
/// <param name="NumExperts">Experts of a layer; 0 for a dense model.</param>
/// <param name="MoeLayers">Layers that have experts.</param>
/// <param name="Hardware">Price and power.</param>
/// <param name="Guarded">True if the loss and gradient norm of every step are judged (<see cref="SpikeConfig.Deviations"/>).</param>
public sealed record RunSummary(
    string RunFolder, Machine Machine, string Device, long TotalParameters, long ActiveParameters, long TrainTokens, long HeldOutTokens,
    int TokensPerStep, double FlopsPerToken, double PeakGflops, long PlannedBytes, long ResumedStep, double HeldOutGzipBitsPerByte,
    int NumExperts, IReadOnlyList<int> MoeLayers, HardwareConfig Hardware, bool Guarded);

/// <summary>One update.</summary>
/// <param name="Step">From 1.</param>
/// <param name="NumSteps">Last step, once it is known.</param>
/// <param name="Tokens">Seen since the run began.</param>
/// <param name="Loss">Nats a token.</param>
/// <param name="LearningRate">Of this update.</param>
/// <param name="GradNorm">Before clipping.</param>
/// <param name="BalanceLoss">Mean over layers; 1 when even.</param>
/// <param name="ZLoss">Mean over layers.</param>
/// <param name="TokensPerSecond">Of this update.</param>
/// <param name="FractionOfPeak">Of the chip's measured peak.</param>
/// <param name="MaxExpertLoad">Busiest expert of any layer over the even share.</param>
/// <param name="ExpertLoad">Tokens of each expert, one row a layer with experts; the memory is reused by the next update.</param>
/// <param name="ElapsedSeconds">Since the run began, resumed parts included.</param>
/// <param name="SecondsLeft">Estimate; null where unknown.</param>
/// <param name="ResidentBytes">Memory of the process.</param>
/// <param name="Cost">Money so far; null where the price is unknown.</param>
/// <param name="KilowattHours">Energy so far; null where the power is unknown.</param>
/// <param name="Skipped">True if nothing was updated: the gradient was not finite, or loss or gradient stood out.</param>
/// <param name="CostPerTrillionTokens">Money for 10^12 tokens at the rate of recent updates; null where the price is unknown.</param>
/// <param name="MtpLoss">Of the token after next; null where it is not predicted.</param>
public sealed record StepMetrics(
    long Step, long? NumSteps, long Tokens, double Loss, double LearningRate, double GradNorm, double BalanceLoss, double ZLoss,
    double TokensPerSecond, double FractionOfPeak, double MaxExpertLoad, IReadOnlyList<int[]> ExpertLoad, double ElapsedSeconds,
    double? SecondsLeft, long ResidentBytes, double? Cost, double? KilowattHours, bool Skipped, double? CostPerTrillionTokens = null,
    double? MtpLoss = null);

/// <summary>One held-out measurement.</summary>
/// <param name="Step">Updates before it.</param>
/// <param name="Loss">Nats a token.</param>
/// <param name="BitsPerByte">Of the UTF-8 text.</param>
/// <param name="Tokens">Targets measured.</param>
/// <param name="Complete">True if the whole held-out split was measured.</param>
public sealed record EvaluationMetrics(long Step, double Loss, double BitsPerByte, long Tokens, bool Complete);

/// <summary>How a run ended.</summary>
/// <param name="Step">Last update.</param>
/// <param name="Outcome">Why it ended.</param>
/// <param name="CheckpointFolder">The last checkpoint.</param>
/// <param name="HeldOut">The last complete measurement; null if there was none.</param>
/// <param name="ElapsedSeconds">Since the run began.</param>
/// <param name="Cost">Money; null where the price is unknown.</param>
/// <param name="KilowattHours">Energy; null where the power is unknown.</param>
public sealed record RunResult(
    long Step, RunOutcome Outcome, string CheckpointFolder, EvaluationMetrics? HeldOut, double ElapsedSeconds, double? Cost,
    double? KilowattHours);

/// <summary>Why a run ended.</summary>
public enum RunOutcome
{
    /// <summary>The recipe's last step is done.</summary>
    Completed,

    /// <summary>The time given on the command line is up.</summary>
    TimeUp,

    /// <summary>It was asked to stop.</summary>
    Interrupted,

    /// <summary>A stage is done, and another follows; no run ends so.</summary>
    StageEnded,
}
