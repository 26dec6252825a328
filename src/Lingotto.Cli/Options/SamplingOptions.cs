using System.CommandLine;
using Lingotto.Model;

namespace Lingotto.Cli;

/// <summary>How the next token is chosen, on the command line.</summary>
internal sealed class SamplingOptions
{
    private static readonly SamplerConfig s_default = new();

    private readonly Option<double> _temperature =
        NumberOption.Real("--temperature", "0 takes the most likely token.", s_default.Temperature);
    private readonly Option<int> _topK =
        NumberOption.Whole("--top-k", "Keep this many most likely tokens; 0 keeps all.", s_default.TopK, least: 0);
    private readonly Option<double> _topP =
        NumberOption.Real("--top-p", "Keep the likeliest tokens up to this probability.", s_default.TopP);
    private readonly Option<double> _minP =
        NumberOption.Real("--min-p", "Drop tokens less likely than this times the likeliest.", s_default.MinP);
    private readonly Option<double> _penalty =
        NumberOption.Real("--repetition-penalty", "Above 1: tokens seen become less likely.", s_default.RepetitionPenalty);

    public void AddTo(Command command)
    {
        command.Add(_temperature);
        command.Add(_topK);
        command.Add(_topP);
        command.Add(_minP);
        command.Add(_penalty);
    }

    /// <exception cref="UsageException">A value is out of range.</exception>
    public SamplerConfig Read(ParseResult parsed)
    {
        var config = new SamplerConfig(
            parsed.GetValue(_temperature), parsed.GetValue(_topK), parsed.GetValue(_topP), parsed.GetValue(_minP),
            parsed.GetValue(_penalty),
            parsed.GetValue(GlobalOptions.Seed) ?? s_default.Seed);
        try
        {
            config.Validate();
            return config;
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message.Replace('_', '-'));
        }
    }
}
