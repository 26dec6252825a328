namespace Lingotto.Planning;

/// <summary>Replicas on two kinds of devices that share each update in proportion to their speed.</summary>
/// <param name="First">The one kind.</param>
/// <param name="Second">The other.</param>
/// <param name="FirstSequences">Sequences of an update on the first kind.</param>
/// <param name="SecondSequences">Sequences of an update on the second kind.</param>
/// <param name="StepSeconds">An update: the slower of both, and the exchange of gradients between them.</param>
/// <param name="ExchangeSeconds">That exchange, as far as it is exposed.</param>
/// <param name="Seconds">Wall time of the run.</param>
/// <param name="Cost">Of the run.</param>
public sealed record MixedPlan(
    FleetOption First, FleetOption Second, int FirstSequences, int SecondSequences, double StepSeconds, double ExchangeSeconds, double Seconds, double Cost)
{
    /// <summary>Wall time, days.</summary>
    public double Days => Seconds / 86400;
}
