using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Lingotto.Cli;

/// <summary>Arguments to a command and back to an exit code.</summary>
internal static class CommandLine
{
    private const string FirstScreen = """
        lingotto trains and runs mixture-of-experts language models on the chips a team can afford. Try:

          lingotto pretrain quickstart --max-time 60s        train a small model on text that this machine has
          lingotto generate runs/quickstart --prompt List    let it write
          lingotto config show quickstart --origin           every setting of a run and where it comes from

        lingotto --help lists all commands; lingotto COMMAND --help explains one.
        """;

    public static int Run(string[] args, CliContext context)
    {
        RootCommand root = Build(context);
        // A prompt may begin with '@': it is text, not the name of a response file.
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        try
        {
            if (parsed.Errors.Count > 0)
            {
                throw new UsageException(UsageFault.Describe(parsed));
            }
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = context.Terminal.Out,
                Error = context.Terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (Exception e)
        {
            return FaultReport.Write(e, context.Terminal, GlobalOptions.IsVerbose(parsed));
        }
    }

    private static RootCommand Build(CliContext context)
    {
        var root = new RootCommand("Trains and runs mixture-of-experts language models on the chips a team can afford.")
        {
            PretrainCommand.Create(context),
            PlanCommand.Create(context),
            MergeCommand.Create(context),
            GenerateCommand.Create(context),
            ReportCommand.Create(context),
            WatchCommand.Create(context),
            TokenizerCommand.Create(context),
            DataCommand.Create(context),
            TortureCommand.Create(context),
            TortureCommand.CreateVictim(context),
            BenchCommand.Create(context),
            DoctorCommand.Create(context),
            ConfigCommand.Create(context),
            CompletionCommand.Create(context),
        };
        GlobalOptions.AddTo(root);
        root.SetAction(_ => context.Terminal.Out.WriteLine(FirstScreen));
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExitCodes((SynchronousCommandLineAction)help.Action!);
        return root;
    }

    private sealed class HelpWithExitCodes(SynchronousCommandLineAction inner) : SynchronousCommandLineAction
    {
        /// <summary>Help is asked for by those who do not know yet what a command needs.</summary>
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int code = inner.Invoke(parseResult);
            if (parseResult.CommandResult.Command is RootCommand)
            {
                parseResult.InvocationConfiguration.Output.WriteLine(ExitCodes.Help);
            }
            return code;
        }
    }
}
