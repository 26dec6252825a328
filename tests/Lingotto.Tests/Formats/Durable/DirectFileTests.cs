using Lingotto.Formats;
using Xunit;

namespace Lingotto.Tests.Formats;

/// <summary>Files long enough for direct writes hold the written bytes, in any order of the parts.</summary>
public sealed class DirectFileTests
{
    private static readonly int s_length = (int)DirectFile.MinLength + 12_345;

    [Theory]
    [InlineData(1 << 20, false)]
    [InlineData((5 << 20) + 13, false)] // Across the blocks in which it goes to the disk.
    [InlineData(4096 - 1, false)]
    [InlineData((3 << 20) + 1, true)]
    public void A_long_file_holds_what_was_written(int partLength, bool fromTheEnd)
    {
        using var folder = new TemporaryFolder();
        byte[] expected = new byte[s_length];
        new Random(1).NextBytes(expected);
        int[] starts = [.. Enumerable.Range(0, (s_length + partLength - 1) / partLength).Select(part => part * partLength)];
        using (IDiskFile file = LocalDisk.Instance.CreateFile(folder.File("long"), s_length))
        {
            Assert.IsType<DirectFile>(file);
            foreach (int start in fromTheEnd ? starts.Reverse() : starts)
            {
                file.Write(expected.AsSpan(start, Math.Min(partLength, s_length - start)), start);
            }

            file.Flush();
        }

        Assert.True(expected.AsSpan().SequenceEqual(File.ReadAllBytes(folder.File("long"))));
    }

    [Fact]
    public void Parts_may_be_written_again_and_after_a_flush()
    {
        using var folder = new TemporaryFolder();
        byte[] expected = new byte[s_length];
        new Random(2).NextBytes(expected);
        using (IDiskFile file = LocalDisk.Instance.CreateFile(folder.File("long"), s_length))
        {
            file.Write(new byte[6 << 20], 0);
            file.Write(expected.AsSpan(0, 7 << 20), 0);
            file.Flush();
            file.Write(expected.AsSpan(7 << 20), 7 << 20);
            file.Flush();
        }

        Assert.True(expected.AsSpan().SequenceEqual(File.ReadAllBytes(folder.File("long"))));
    }
}
