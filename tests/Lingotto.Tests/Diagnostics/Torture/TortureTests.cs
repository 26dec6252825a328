using Lingotto.Cli;
using Lingotto.Diagnostics;
using Lingotto.Formats;
using Lingotto.Tests.Cli;
using Xunit;

namespace Lingotto.Tests.Diagnostics;

/// <summary>A little of every suite, and that the suites notice when a promise is broken.</summary>
public sealed class TortureTests
{
    [Theory]
    [InlineData("kills", "2")]
    [InlineData("crashes", "250")]
    [InlineData("bits", "40")]
    [InlineData("disk", "25")]
    public void Every_trial_passes(string suite, string trials)
    {
        (int code, string card, string error) = CapturedTerminal.Run("", "torture", "--suite", suite, "--trials", trials, "--seed", "3", "--quiet");
        Assert.True(code == ExitCodes.Done, card + error);
        Assert.DoesNotContain("FAIL", card, StringComparison.Ordinal);
        Assert.EndsWith("seed 3\n", card.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_rename_without_a_flush_may_be_lost_and_so_may_its_contents()
    {
        DiskOperation[] careless =
        [
            new DiskOperation.CreateFile(0, "new", 4), new DiskOperation.Write(0, 0, "abcd"u8.ToArray()), new DiskOperation.Rename("new", "old"),
        ];
        Assert.Equal(["", "\0\0\0\0", "abcd", "was"], ContentsOfOld(careless));
    }

    [Fact]
    public void Flushed_contents_and_names_survive_every_power_cut()
    {
        DiskOperation[] careful =
        [
            new DiskOperation.CreateFile(0, "new", 4), new DiskOperation.Write(0, 0, "abcd"u8.ToArray()), new DiskOperation.FlushFile(0),
            new DiskOperation.Rename("new", "old"),
        ];
        Assert.Equal(["abcd", "was"], ContentsOfOld(careful));
        Assert.Equal(["abcd"], ContentsOfOld([.. careful, new DiskOperation.FlushFolder(".")]));
    }

    [Fact]
    public void What_goes_past_the_page_cache_is_recorded_as_it_reaches_the_disk()
    {
        using var folder = new Formats.TemporaryFolder();
        var disk = new RecordingDisk(folder.File(""), isDirect: true);
        byte[] bytes = new byte[(2 * RecordingDisk.DirectBlock) + 100];
        new Random(1).NextBytes(bytes);
        using (IDiskFile file = disk.CreateFile(folder.File("long"), bytes.Length))
        {
            Assert.IsType<DirectFile>(file);
            for (int start = 0; start < bytes.Length; start += 1000)
                file.Write(bytes.AsSpan(start, Math.Min(1000, bytes.Length - start)), start);
            file.Flush();
        }

        DiskOperation[] written = [.. disk.Operations.Skip(1).SkipLast(1)];
        Assert.IsType<DiskOperation.FlushFile>(disk.Operations[^1]); // After the last byte.
        Assert.Equal(bytes, written.Cast<DiskOperation.Write>().OrderBy(write => write.Position).SelectMany(write => write.Data));
    }

    /// <summary>All that the file "old" may hold after the operations and a power cut.</summary>
    private static string[] ContentsOfOld(DiskOperation[] operations)
    {
        using var folder = new Formats.TemporaryFolder();
        var disk = new CrashedDisk(new Dictionary<string, byte[]> { ["old"] = "was"u8.ToArray() }, operations);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        int states = 0;
        for (ulong kept = 0; kept < 1UL << disk.PendingNames; kept++)
        {
            foreach (ContentLoss loss in Enum.GetValues<ContentLoss>())
            {
                string state = Directory.CreateDirectory(folder.File($"{states++}")).FullName;
                disk.TryWrite(state, kept, loss, tornAt: null, []);
                found.Add(File.ReadAllText(Path.Combine(state, "old")));
            }
        }

        return [.. found];
    }
}
