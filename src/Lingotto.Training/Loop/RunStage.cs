using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>
/// A part of a run with sequences of one length. Between two stages the run saves, builds its buffers anew and resumes, so that
/// a run that is interrupted there is like any other: <see cref="TrainingLoop"/> ends with <see cref="RunOutcome.StageEnded"/>, and
/// <see cref="StageRunner"/> begins the next, in which samples have other numbers (<see cref="RunProgress.ResumeFrom"/>) and the guard
/// against spikes learns anew (<see cref="GuardedStep"/>).
/// </summary>
/// <param name="Recipe">The recipe as this stage runs it.</param>
/// <param name="First">Updates before it.</param>
/// <param name="End">Updates after which the next stage begins.</param>
internal sealed record RunStage(Recipe Recipe, long First, long End)
{
    /// <summary>The stages of a run in their order.</summary>
    public static IReadOnlyList<RunStage> Of(Recipe recipe)
    {
        if (recipe.LongContext is not { AfterStep: { } after } longer)
        {
            return [new RunStage(recipe, 0, long.MaxValue)];
        }

        TrainingConfig training = recipe.Training;
        TrainingConfig stretched = training with
        {
            SequenceLength = longer.SequenceLength,
            SequencesPerMicroBatch = training.SequencesPerMicroBatch * training.SequenceLength / longer.SequenceLength,
            RopeTheta = longer.RopeTheta,
        };
        Recipe last = recipe with
        {
            Training = stretched,
            Evaluation = recipe.Evaluation with
            {
                Sequences = Math.Max(1, recipe.Evaluation.Sequences * training.SequenceLength / longer.SequenceLength),
            },
        };
        return [new RunStage(recipe, 0, after), new RunStage(last, after, long.MaxValue)];
    }

    /// <summary>True if the update after <paramref name="step"/> is part of it.</summary>
    public bool Follows(long step) => step >= First && step < End;
}
