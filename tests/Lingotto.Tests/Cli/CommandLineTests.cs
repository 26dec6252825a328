using Lingotto.Cli;
using Lingotto.Formats;
using Lingotto.Runs;
using Lingotto.Tests.Formats;
using Lingotto.Tests.Runs;
using Xunit;

namespace Lingotto.Tests.Cli;

public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("pretain", "error: unknown command 'pretain' for lingotto: did you mean pretrain?")]
    [InlineData("config shwo", "error: unknown command 'shwo' for lingotto config: did you mean show?")]
    [InlineData("pretrain quickstart --max-tme 1h", "error: unknown option '--max-tme' for lingotto pretrain: did you mean --max-time?")]
    [InlineData("pretrain quickstart --queit", "error: unknown option '--queit' for lingotto pretrain: did you mean --quiet?")]
    [InlineData("pretrain quickstart --max-time 60", "error: --max-time cannot be '60': give a time such as 90s, 15m or 1h30m: see lingotto pretrain --help")]
    [InlineData("pretrain quickstart --threads -1", "error: --threads cannot be '-1': give a whole number of 0 or more: see lingotto pretrain --help")]
    [InlineData("pretrain quickstart --seed 1.5", "error: --seed cannot be '1.5': give a whole number of 0 or more: see lingotto pretrain --help")]
    [InlineData("generate x --prompt y --temperature -1", "error: temperature -1 must be 0 or more")]
    [InlineData("generate x --temperature warm", "error: --temperature cannot be 'warm': give a number: see lingotto generate --help")]
    [InlineData("config show quickstart more", "error: unknown argument 'more' for lingotto config show: see lingotto config show --help")]
    [InlineData("config", "error: lingotto config is followed by show or schema: see lingotto config --help")]
    [InlineData("tokenizer decode 1 x --tokenizer t", "error: 'x' is no token id: give whole numbers separated by spaces or commas")]
    [InlineData("data build --out d", "error: nothing to build from: name DATA, or a mixture with --mixture FILE")]
    [InlineData("data build x --mixture y --out d", "error: DATA and --mixture are both given: name the paths in the mixture")]
    [InlineData("data build x --out d --languages en,xx", "error: --languages cannot hold 'xx': give some of ar, code, de, el, en, es, fr, he, it, ja, ko, pt, ru, und, zh")]
    [InlineData("data build x --out d --held-out-fraction 0.6", "error: --held-out-fraction cannot be 0.6: give 0 to 0.5")]
    public void A_command_line_that_is_not_understood_gets_one_line_and_code_2(string args, string expected)
    {
        (int code, string output, string error) = CapturedTerminal.Run("", args.Split(' '));
        Assert.Equal((ExitCodes.Usage, "", expected + Environment.NewLine), (code, output, error));
    }

    [Fact]
    public void A_missing_argument_is_named_and_explained()
    {
        (int code, _, string error) = CapturedTerminal.Run("", "config", "show");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.StartsWith("error: lingotto config show needs RECIPE (A recipe file", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pretrain")]
    [InlineData("pretrain quickstart --size tiny")]
    [InlineData("pretrain quickstart --hours 8")]
    public void Pretrain_takes_either_a_recipe_or_a_size(string args)
    {
        (int code, _, string error) = CapturedTerminal.Run("", args.Split(' '));
        Assert.Equal(ExitCodes.Usage, code);
        Assert.StartsWith("error: pretrain takes a RECIPE, or --size and --hours", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pretrain quickstrat", "error: quickstrat: no such recipe: did you mean quickstart?")]
    [InlineData("pretrain quickstart --set training.sed=3", "error: --set training.sed=3: training.sed is no key of a recipe: did you mean training.seed?")]
    [InlineData("generate nowhere --prompt x", "error: nowhere: no such folder: give a run such as runs/quickstart, or a folder with config.json and weights")]
    [InlineData("data inspect nowhere", "error: nowhere: no such file or folder: check the spelling")]
    [InlineData("tokenizer encode x --tokenizer nowhere", "error: nowhere: no such tokenizer.json; check the path or train one")]
    public void A_command_that_cannot_be_carried_out_gets_one_line_and_code_1(string args, string expected)
    {
        (int code, string output, string error) = CapturedTerminal.Run("", args.Split(' '));
        Assert.Equal((ExitCodes.Failed, "", expected + Environment.NewLine), (code, output, error));
    }

    [Fact]
    public void Text_becomes_a_data_folder_that_says_what_is_in_it()
    {
        string text = _folder.File("text.jsonl"), data = _folder.File("data");
        File.WriteAllLines(text, Enumerable.Range(0, 200).Select(i => $"{{\"text\":\"The house number {i} of the street has {i * i} windows and {i % 7} doors.\"}}").Append("{"));
        (int code, string output, _) = CapturedTerminal.Run("", "data", "build", text, "--out", data, "--vocab-size", "300", "-q");
        Assert.Equal(ExitCodes.Done, code);
        Assert.Contains("invalid_json", output, StringComparison.Ordinal);
        Assert.Contains($"{text}:201: not a JSON object", output, StringComparison.Ordinal);
        Assert.Equal(output, CapturedTerminal.Run("", "data", "inspect", data).Out);
        using var json = System.Text.Json.JsonDocument.Parse(CapturedTerminal.Run("", "data", "inspect", data, "--json").Out);
        Assert.Equal(200, json.RootElement.GetProperty("sources")[0].GetProperty("read_documents").GetInt64());
        Assert.Equal("en", json.RootElement.GetProperty("languages")[0].GetProperty("language").GetString());
    }

    [Fact]
    public void A_typo_in_a_recipe_names_file_line_and_the_nearest_key()
    {
        string file = _folder.File("my.json");
        File.WriteAllText(file, "{ \"model\": \"quickstart\",\n \"training\": { \"minuts\": 5 } }");
        (int code, _, string error) = CapturedTerminal.Run("", "pretrain", file, "--run", _folder.File("run"));
        Assert.Equal(ExitCodes.Failed, code);
        Assert.StartsWith($"error: {file}:2: training.minuts is no key of a recipe: did you mean training.minutes?", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("run")));
    }

    [Fact]
    public void Without_a_command_three_are_suggested()
    {
        (int code, string output, _) = CapturedTerminal.Run("");
        Assert.Equal(ExitCodes.Done, code);
        Assert.Equal(3, output.Split('\n').Count(line => line.StartsWith("  lingotto ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("pretrain")]
    [InlineData("generate")]
    [InlineData("report")]
    [InlineData("watch")]
    [InlineData("tokenizer train")]
    public void Help_explains_a_command_before_its_arguments_are_known(string command)
    {
        (int code, string output, string error) = CapturedTerminal.Run("", [.. command.Split(' '), "--help"]);
        Assert.Equal((ExitCodes.Done, ""), (code, error));
        Assert.Contains($" {command} ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_is_one_file_in_the_run_folder_or_where_it_is_asked_for()
    {
        RunFolders.WriteKilledAndResumed(_folder.File("run"));
        (int code, string output, string error) = CapturedTerminal.Run("", "report", _folder.File("run"));
        Assert.True(code == ExitCodes.Done, error);
        Assert.StartsWith(Path.Combine(_folder.File("run"), "report.html") + ": ", output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Done, CapturedTerminal.Run("", "report", _folder.File("run"), "--out", _folder.File("other.html")).Code);
        Assert.True(File.Exists(_folder.File("other.html")));
    }

    [Theory]
    [InlineData("report nowhere")]
    [InlineData("watch nowhere --port 0")]
    public void A_run_that_is_not_there_gets_one_line(string args)
    {
        (int code, _, string error) = CapturedTerminal.Run("", args.Split(' '));
        Assert.Equal((ExitCodes.Failed, "error: nowhere: no such folder: give a run such as runs/quickstart" + Environment.NewLine), (code, error));
    }

    [Fact]
    public void Help_lists_commands_and_exit_codes()
    {
        (int code, string output, _) = CapturedTerminal.Run("", "--help");
        Assert.Equal(ExitCodes.Done, code);
        Assert.All(["pretrain", "generate", "tokenizer", "data", "config", "130  stopped by SIGINT"], text => Assert.Contains(text, output, StringComparison.Ordinal));
    }

    [Fact]
    public void Config_show_prints_every_value_with_its_origin()
    {
        (int code, string output, _) = CapturedTerminal.Run(
            "", "config", "show", "quickstart", "--origin", "--set", "router.z_loss=0", "--data", "a\"b", "--data", "c", "--seed", "9");
        Assert.Equal(ExitCodes.Done, code);
        string[][] rows = [.. output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        Assert.Contains(rows, row => row is ["router.z_loss", "0", "--set"]);
        Assert.Contains(rows, row => row is ["training.seed", "9", "--set"]);
        Assert.Contains(rows, row => row is ["data.paths", "[\"a\\\"b\",\"c\"]", "--set"]);
        Assert.Contains(rows, row => row is ["optimizer.beta1", "0.9", "default"]);
        Assert.Contains(rows, row => row[0] == "training.minutes" && row[2].EndsWith("quickstart.json:5", StringComparison.Ordinal));
    }

    [Fact]
    public void A_tokenizer_is_trained_encodes_and_decodes()
    {
        string text = _folder.File("text.txt"), file = _folder.File("tokenizer.json");
        File.WriteAllText(text, string.Concat(Enumerable.Repeat("the cat sat on the mat and the dog sat on the log\n", 50)));
        Assert.Equal(ExitCodes.Done, CapturedTerminal.Run("", "tokenizer", "train", text, "--vocab-size", "270", "--out", file, "-q").Code);
        string ids = CapturedTerminal.Run("@the cat", "tokenizer", "encode", "--tokenizer", file).Out;
        Assert.Equal("@the cat", CapturedTerminal.Run(ids, "tokenizer", "decode", "--tokenizer", file).Out);
        string json = CapturedTerminal.Run("", "tokenizer", "encode", "@the cat", "--tokenizer", file, "--json").Out;
        Assert.Equal("@the cat", CapturedTerminal.Run(json, "tokenizer", "decode", "--tokenizer", file).Out);
    }

    [Fact]
    public void Data_is_built_and_inspected()
    {
        string text = _folder.File("text.jsonl"), tokenizer = _folder.File("tokenizer.json"), data = _folder.File("data");
        File.WriteAllLines(text, Enumerable.Range(0, 40).Select(i => $"{{\"text\":\"document {i} is the {i}th one\"}}"));
        CapturedTerminal.Run("", "tokenizer", "train", text, "--vocab-size", "265", "--out", tokenizer);
        (int code, string built, string error) = CapturedTerminal.Run("", "data", "build", text, "--tokenizer", tokenizer, "--out", data, "--held-out-fraction", "0.2", "-q");
        Assert.True(code == ExitCodes.Done, error);
        Assert.Equal(built, CapturedTerminal.Run("", "data", "inspect", data).Out);
        Assert.Contains("documents   40", CapturedTerminal.Run("", "data", "inspect", text).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_of_the_program_asks_for_a_report_and_hides_the_stack_unless_asked()
    {
        using var error = new StringWriter();
        var terminal = new Terminal { In = TextReader.Null, Out = TextWriter.Null, Error = error };
        Assert.Equal(ExitCodes.InternalFault, FaultReport.Write(new InvalidOperationException("two\nlines"), terminal, isVerbose: false));
        Assert.Equal(
            "error: a fault inside lingotto (InvalidOperationException: two lines): please run the same command with --verbose and report what it prints"
            + Environment.NewLine, error.ToString());
    }

    [Fact]
    public void A_full_disk_and_a_forbidden_folder_are_the_users_to_mend()
    {
        using var error = new StringWriter();
        var terminal = new Terminal { In = TextReader.Null, Out = TextWriter.Null, Error = error };
        Assert.Equal(ExitCodes.Failed, FaultReport.Write(new IOException("No space left on device : '/x'.", 28), terminal, isVerbose: false));
        Assert.Equal(ExitCodes.Failed, FaultReport.Write(new IOException("Failed to create '/y' with allocation size '9' because the disk was full."), terminal, isVerbose: false));
        Assert.Equal(ExitCodes.Failed, FaultReport.Write(new IOException("Read-only file system : '/z'", 30), terminal, isVerbose: false));
        Assert.Equal(ExitCodes.Failed, FaultReport.Write(new UnauthorizedAccessException("Access to the path '/x' is denied."), terminal, isVerbose: false));
        Assert.Equal(ExitCodes.Failed, FaultReport.Write(new RunException("what (where): remedy"), terminal, isVerbose: false));
        Assert.Contains("the disk is full (No space left on device : '/x'): make room", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("the disk is full (Failed to create '/y'", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("Read-only file system : '/z': choose a place that can be written", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("Access to the path '/x' is denied: check the permissions", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_folder_leads_to_its_newest_intact_checkpoint()
    {
        string folder = _folder.File("checkpoints"), heard = "";
        Directory.CreateDirectory(folder);
        string Find() => ModelFolder.Find(_folder.Path, message => heard = message);
        Assert.Contains("no checkpoint yet", Assert.Throws<RunException>(Find).Message, StringComparison.Ordinal);
        foreach (string name in (string[])["step-000000001", "step-000000002"])
        {
            DurableFolder.Write(Path.Combine(folder, name), partial => File.WriteAllText(Path.Combine(partial, "tokenizer.json"), name));
            DurablePointer.Write(folder, name);
        }

        Assert.Equal(Path.Combine(folder, "step-000000002"), Find());
        Assert.Empty(heard);
        File.WriteAllText(Path.Combine(folder, "step-000000002", "tokenizer.json"), "step-000000003");
        Assert.Equal(Path.Combine(folder, "step-000000001"), Find());
        Assert.Contains("took step-000000001", heard, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "step-000000001", "tokenizer.json"), "cut");
        Assert.Contains("no intact checkpoint", Assert.Throws<RunException>(Find).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("1h30m", 5400)]
    [InlineData("0.5d", 43200)]
    [InlineData("", 0)]
    [InlineData("0s", 0)]
    [InlineData("5", 0)]
    [InlineData("m", 0)]
    [InlineData("-5m", 0)]
    [InlineData("99999999999d", 0)]
    public void Times_are_numbers_with_units(string text, double seconds)
    {
        Assert.Equal(seconds > 0, Figures.TryParseDuration(text, out TimeSpan duration));
        Assert.Equal(seconds, duration.TotalSeconds);
    }

    [Theory]
    [InlineData(12, "12s")]
    [InlineData(192, "3m12s")]
    [InlineData(7500, "2h05m")]
    [InlineData(273600, "3d04h")]
    [InlineData(double.NaN, "?")]
    public void Times_are_written_with_two_units_at_most(double seconds, string expected) => Assert.Equal(expected, Figures.Duration(seconds));

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("pwsh")]
    public void Every_shell_has_a_completion_script(string shell) =>
        Assert.Contains("suggest", CapturedTerminal.Run("", "completion", shell).Out, StringComparison.Ordinal);

    [Fact]
    public void The_program_answers_what_could_come_next() =>
        Assert.Contains("--max-time", CapturedTerminal.Run("", "[suggest:20]", "lingotto pretrain --").Out, StringComparison.Ordinal);
}
