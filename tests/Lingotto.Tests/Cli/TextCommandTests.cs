using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Lingotto.Cli;
using Lingotto.Tests.Formats;
using Lingotto.Tests.Text;
using Xunit;

namespace Lingotto.Tests.Cli;

/// <summary>The commands on text as processes: bytes on the standard input, pipes in folders, signals.</summary>
public sealed class TextCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Encoding_input_that_is_not_utf8_is_an_error_of_one_line()
    {
        using Process process = Start("tokenizer", "encode", "--tokenizer", SaveTokenizer());
        process.StandardInput.BaseStream.Write([(byte)'a', 0xE9, (byte)'b']);
        process.StandardInput.Close();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal((ExitCodes.Failed, 1), (process.ExitCode, error.Count(c => c == '\n')));
        Assert.Contains("0xE9 is not UTF-8", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Decoding_an_id_outside_the_vocabulary_is_an_error_of_one_line()
    {
        (int code, string output, string error) = CapturedTerminal.Run("", "tokenizer", "decode", "99999", "--tokenizer", SaveTokenizer());
        Assert.Equal((ExitCodes.Failed, ""), (code, output));
        Assert.StartsWith("error: 99999 is not a token id: give ids from 0 to ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspecting_accounts_for_every_byte_and_strict_inspecting_stops()
    {
        File.WriteAllText(_folder.File("a.txt"), "A text of some words that is long enough to be kept.");
        File.WriteAllText(_folder.File("b.txt.gz"), "not gzip");
        (int code, string output, _) = CapturedTerminal.Run("", "data", "inspect", _folder.Path, "--json");
        JsonNode files = JsonNode.Parse(output)!["files"]!;
        Assert.Equal((ExitCodes.Done, 1, 8), (code, files["skipped"]!.GetValue<int>(), files["skipped_bytes"]!.GetValue<int>()));
        Assert.Equal(60, files["found_bytes"]!.GetValue<int>());
        (code, _, string error) = CapturedTerminal.Run("", "data", "inspect", _folder.Path, "--strict");
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains("b.txt.gz: damaged gzip data", error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_signal_ends_the_reading_of_a_long_file_within_two_seconds()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the file is sparse");
        using (FileStream file = File.Create(_folder.File("long.txt")))
        {
            file.SetLength(64L << 30);
        }

        using Process process = Start("data", "inspect", _folder.Path);
        SpinWait.SpinUntil(() => process.HasExited || HasOpened(process, "long.txt"), TimeSpan.FromSeconds(30));
        Assert.True(HasOpened(process, "long.txt"), "the file was not read, or is too short for this test");
        using (Process kill = Process.Start("kill", ["-s", "TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            kill.WaitForExit();
        }

        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(2)));
        Assert.NotEqual(ExitCodes.Done, process.ExitCode);
    }

    private static bool HasOpened(Process process, string name)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries($"/proc/{process.Id}/fd")
                .Any(fd => new FileInfo(fd).LinkTarget?.EndsWith("/" + name, StringComparison.Ordinal) == true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // The process has ended.
        }
    }

    private static Process Start(params string[] args) => Process.Start(
        new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "lingotto.dll"), .. args])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private string SaveTokenizer()
    {
        string path = _folder.File("tokenizer.json");
        TestTokenizers.Small.Save(path);
        return path;
    }
}
