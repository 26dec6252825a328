using System.Text;
using Lingotto.Formats;
using Xunit;

namespace Lingotto.Tests.Formats;

public sealed class DurableFolderTests : IDisposable
{
    private readonly TemporaryFolder _parent = new();

    public void Dispose() => _parent.Dispose();

    [Fact]
    public void A_filled_folder_appears_as_a_whole_with_a_manifest()
    {
        string folder = WriteSample("step-1");
        DurableFolder opened = DurableFolder.Open(folder);
        opened.Verify();
        Assert.Equal(["empty", "model.safetensors", "notes.txt"], opened.Files.Select(file => file.Name));
        Assert.Equal([0, 184, 5], opened.Files.Select(file => file.Size));
        Assert.Equal(["w", "x"], opened.Files[1].Tensors!.Keys.Order());
        Assert.Equal(["step-1"], Entries());
    }

    [Fact]
    public void Hashes_are_those_of_xxhsum() // xxHash 0.8: printf abc | xxhsum -H2
        => Assert.Equal("06b05ab6733a618578af5f94892f3950", ContentHash.Of("abc"u8));

    /// <summary>The manifest as the first release wrote it, its hashes by sha256sum.</summary>
    [Fact]
    public void A_manifest_of_version_1_is_still_verified()
    {
        Directory.CreateDirectory(_parent.File("old"));
        File.WriteAllText(_parent.File("old/notes.txt"), "abc");
        File.WriteAllText(_parent.File("old/manifest.json"), """
            {
              "version": 1,
              "files": [
                {
                  "name": "notes.txt",
                  "size": 3,
                  "hash": "ba7816bf8f01cfea414140de5dae2223"
                }
              ]
            }
            """.ReplaceLineEndings("\n"));
        DurableFolder.Open(_parent.File("old")).Verify();
        File.WriteAllText(_parent.File("old/notes.txt"), "abd");
        Assert.Throws<DurableFolderException>(() => DurableFolder.Open(_parent.File("old")).Verify());
    }

    [Fact]
    public void A_hash_of_another_kind_is_an_error_with_its_name()
    {
        string folder = WriteSample("step-1"), manifest = Path.Combine(folder, "manifest.json");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("xxh128", "md5", StringComparison.Ordinal));
        Assert.Contains("hash md5", Assert.Throws<DurableFolderException>(() => DurableFolder.Open(folder)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_is_removed_as_a_whole_or_stays_complete_when_the_disk_fails()
    {
        string folder = WriteSample("step-1");
        Assert.True(DurableFolder.TryRemove(folder));
        Assert.False(DurableFolder.TryRemove(folder));
        Assert.Empty(Entries());
    }

    [Fact]
    public void A_fill_that_throws_leaves_the_old_state()
    {
        WriteSample("step-1");
        Assert.Throws<InvalidOperationException>(() => DurableFolder.Write(_parent.File("step-2"), temporary =>
        {
            FillSample(temporary);
            throw new InvalidOperationException("power");
        }));
        Assert.Equal(["step-1"], Entries());
        DurableFolder.Open(_parent.File("step-1")).Verify();
    }

    [Fact]
    public void The_folder_has_its_name_only_after_the_manifest_is_there()
    {
        string folder = _parent.File("step-1");
        DurableFolder.Write(folder, temporary =>
        {
            FillSample(temporary);
            Assert.False(Directory.Exists(folder));
            Assert.Throws<DurableFolderException>(() => DurableFolder.Open(temporary));
        });
        Assert.True(File.Exists(Path.Combine(folder, "manifest.json")));
    }

    [Fact]
    public void An_existing_folder_or_file_is_never_replaced()
    {
        string folder = WriteSample("step-1");
        File.WriteAllText(_parent.File("file"), "");
        Assert.Throws<DurableFolderException>(() => DurableFolder.Write(folder, FillSample));
        Assert.Throws<DurableFolderException>(() => DurableFolder.Write(folder + Path.DirectorySeparatorChar, FillSample));
        Assert.Throws<DurableFolderException>(() => DurableFolder.Write(_parent.File("file"), FillSample));
        DurableFolder.Open(folder).Verify();
    }

    [Fact]
    public void A_fill_with_subfolders_or_its_own_manifest_is_an_error()
    {
        Assert.Throws<DurableFolderException>(
            () => DurableFolder.Write(_parent.File("a"), t => Directory.CreateDirectory(Path.Combine(t, "sub"))));
        Assert.Throws<DurableFolderException>(
            () => DurableFolder.Write(_parent.File("a"), t => File.WriteAllText(Path.Combine(t, "manifest.json"), "")));
        Assert.Empty(Entries());
    }

    [Theory]
    [InlineData("notes.txt")]
    [InlineData("model.safetensors")]
    [InlineData("manifest.json")]
    public void Any_flipped_bit_is_found_and_its_file_named(string name)
    {
        string folder = WriteSample("step-1"), path = Path.Combine(folder, name);
        byte[] sound = File.ReadAllBytes(path);
        for (int i = 0; i < sound.Length; i++)
        {
            byte[] flipped = [.. sound];
            flipped[i] ^= (byte)(1 << (i % 8));
            File.WriteAllBytes(path, flipped);
            string message = Assert.Throws<DurableFolderException>(() => DurableFolder.Open(folder).Verify()).Message;
            Assert.DoesNotContain('\n', message);
            // A manifest whose entry changed disagrees with a file; either may be the damaged one.
            Assert.Contains(name == "manifest.json" ? folder : path, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_damaged_tensor_is_named()
    {
        string folder = WriteSample("step-1"), path = Path.Combine(folder, "model.safetensors");
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        string message = Assert.Throws<DurableFolderException>(() => DurableFolder.Open(folder).Verify()).Message;
        Assert.Contains("tensor 'x' has changed", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncated_grown_and_absent_files_are_found_on_opening()
    {
        foreach (string name in new[] { "notes.txt", "model.safetensors", "manifest.json" })
        {
            string folder = WriteSample("step-" + name), path = Path.Combine(folder, name);
            byte[] sound = File.ReadAllBytes(path);
            foreach (byte[] other in new[] { sound[..^1], sound[..(sound.Length / 2)], [], [.. sound, 0] })
            {
                File.WriteAllBytes(path, other);
                Assert.Equal(path, Assert.Throws<DurableFolderException>(() => DurableFolder.Open(folder)).Path);
            }

            File.Delete(path);
            Assert.Equal(path, Assert.Throws<DurableFolderException>(() => DurableFolder.Open(folder)).Path);
        }
    }

    [Fact]
    public void Swapped_files_of_equal_size_are_found()
    {
        string folder = _parent.File("step-1");
        DurableFolder.Write(folder, temporary =>
        {
            File.WriteAllText(Path.Combine(temporary, "a"), "1");
            File.WriteAllText(Path.Combine(temporary, "b"), "2");
        });
        File.WriteAllText(Path.Combine(folder, "a"), "2");
        File.WriteAllText(Path.Combine(folder, "b"), "1");
        Assert.Throws<DurableFolderException>(() => DurableFolder.Open(folder).Verify());
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("/etc/hostname")]
    [InlineData("..")]
    [InlineData("a\\\\b")]
    public void A_manifest_that_points_outside_is_an_error(string name)
    {
        string folder = WriteSample("step-1"), manifest = Path.Combine(folder, "manifest.json");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("notes.txt", name, StringComparison.Ordinal));
        Assert.Contains("damaged", Assert.Throws<DurableFolderException>(() => DurableFolder.Open(folder)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_pointer_is_replaced_as_a_whole()
    {
        Assert.Null(DurablePointer.Read(_parent.Path));
        DurablePointer.Write(_parent.Path, "step-1");
        using (FileStream reader = File.OpenRead(_parent.File("latest")))
        {
            DurablePointer.Write(_parent.Path, "step-2");
            // A reader that opened the old pointer still sees all of it: the file was replaced, not rewritten.
            Assert.Equal("step-1\n", new StreamReader(reader, Encoding.UTF8).ReadToEnd());
        }

        Assert.Equal("step-2", DurablePointer.Read(_parent.Path));
        Assert.Equal(["latest"], Entries());
    }

    [Theory]
    [InlineData("")]
    [InlineData("../elsewhere\n")]
    [InlineData("/etc\n")]
    [InlineData("..\n")]
    [InlineData("step\0\n")]
    public void A_pointer_that_leaves_its_folder_is_an_error(string contents)
    {
        File.WriteAllText(_parent.File("latest"), contents);
        Assert.Throws<DurableFolderException>(() => DurablePointer.Read(_parent.Path));
        Assert.Throws<ArgumentException>(() => DurablePointer.Write(_parent.Path, contents));
    }

    [Fact]
    public void Sweeping_removes_unfinished_work_and_nothing_else()
    {
        WriteSample("step-1");
        string crashed = _parent.File(".tmp-step-2-0123456789abcdef");
        FillSample(Directory.CreateDirectory(crashed).FullName);
        File.WriteAllText(_parent.File(".tmp-latest-fedcba9876543210"), "torn");
        string[] others = [".tmp-mine", ".tmp-step-2-0123456789ABCDEF", "tmp-step-2-0123456789abcdef", ".tmp--0123456789abcdef", "notes"];
        foreach (string other in others)
        {
            File.WriteAllText(_parent.File(other), "");
        }

        Assert.Equal([".tmp-latest-fedcba9876543210", ".tmp-step-2-0123456789abcdef"],
            DurableFolder.Sweep(_parent.Path).Order(StringComparer.Ordinal));
        Assert.Equal([.. others.Append("step-1").Order(StringComparer.Ordinal)], Entries());
    }

    [Fact]
    public void A_crash_of_this_process_leaves_names_that_are_swept()
    {
        string? temporary = null;
        DurableFolder.Write(_parent.File("step-1"), t => FillSample(temporary = t));
        Directory.CreateDirectory(temporary!);
        Assert.Single(DurableFolder.Sweep(_parent.Path));
    }

    [Fact]
    public void Small_files_are_replaced_and_failures_leave_the_old_one()
    {
        string path = _parent.File("state.json");
        DurableFile.WriteAllText(path, "old");
        DurableFile.WriteAllText(path, "n\u00e9w");
        Assert.Equal("n\u00e9w"u8.ToArray(), File.ReadAllBytes(path));
        Directory.CreateDirectory(_parent.File("folder"));
        Assert.ThrowsAny<Exception>(() => DurableFile.WriteAllText(_parent.File("folder"), "x"));
        Assert.Throws<DirectoryNotFoundException>(() => DurableFile.WriteAllText(_parent.File("absent/file"), "x"));
        Assert.Equal(["folder", "state.json"], Entries());
    }

    [Fact]
    public void Too_little_space_is_an_error_of_one_line()
    {
        DurableFolder.RequireFreeSpace(_parent.Path, 1);
        string message = Assert.Throws<DurableFolderException>(() => DurableFolder.RequireFreeSpace(_parent.Path, long.MaxValue)).Message;
        Assert.Contains("needs 8589934592.0 GiB", message, StringComparison.Ordinal);
    }

    private string[] Entries() =>
        [.. Directory.GetFileSystemEntries(_parent.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private string WriteSample(string name)
    {
        DurableFolder.Write(_parent.File(name), FillSample);
        return _parent.File(name);
    }

    private static void FillSample(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "notes");
        File.WriteAllText(Path.Combine(folder, "empty"), "");
        using var writer = new SafetensorsWriter(
            Path.Combine(folder, "model.safetensors"), [new("w", SafetensorsDType.F32, [4]), new("x", SafetensorsDType.F32, [4])]);
        writer.Write("w", new byte[16]);
        writer.Write("x", [.. Enumerable.Range(0, 16).Select(i => (byte)i)]);
        writer.Complete();
    }
}
