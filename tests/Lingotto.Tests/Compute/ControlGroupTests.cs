using Lingotto.Compute;
using Xunit;

namespace Lingotto.Tests;

/// <summary>The limit that a container sets, read from files as Linux lays them out.</summary>
public sealed class ControlGroupTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("lingotto-cgroup-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void The_least_limit_of_the_group_and_those_above_it_counts()
    {
        Write("proc/self/cgroup", "0::/machine/job\n");
        Write("sys/fs/cgroup/machine/memory.max", "8000000000\n");
        Write("sys/fs/cgroup/machine/job/memory.max", "max\n");
        Assert.Equal(8_000_000_000, ControlGroup.MemoryLimit(_root));
        Write("sys/fs/cgroup/machine/job/memory.max", "5000000000\n");
        Assert.Equal(5_000_000_000, ControlGroup.MemoryLimit(_root));
    }

    [Fact]
    public void A_container_sees_its_own_group_at_the_mount_whatever_its_path_is_called_outside()
    {
        Write("proc/self/cgroup", "0::/../../docker/0123\n");
        Write("sys/fs/cgroup/memory.max", "2000000000\n");
        Assert.Equal(2_000_000_000, ControlGroup.MemoryLimit(_root));
    }

    [Fact]
    public void What_other_processes_of_the_group_hold_is_not_free_but_files_read_before_are()
    {
        Write("proc/self/cgroup", "0::/job\n");
        Write("sys/fs/cgroup/job/memory.max", "16000\n");
        Assert.Equal(16_000, ControlGroup.MemoryFree(_root));
        Write("sys/fs/cgroup/job/memory.current", "11000\n");
        Write("sys/fs/cgroup/job/memory.stat", "anon 10000\nfile 1000\nactive_file 100\ninactive_file 900\n");
        Assert.Equal(5_900, ControlGroup.MemoryFree(_root));
        Write("sys/fs/cgroup/memory.max", "12000\n");
        Write("sys/fs/cgroup/memory.current", "11500\n");
        Assert.Equal(500, ControlGroup.MemoryFree(_root));
    }

    [Fact]
    public void Version_1_has_its_limit_under_the_memory_controller()
    {
        Write("proc/self/cgroup", "12:cpu,cpuacct:/job\n5:memory:/job\n");
        Write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "3000000000\n");
        Assert.Equal(3_000_000_000, ControlGroup.MemoryLimit(_root));
    }

    [Fact]
    public void Without_a_group_or_a_limit_there_is_none()
    {
        Assert.Null(ControlGroup.MemoryLimit(_root));
        Write("proc/self/cgroup", "0::/\n");
        Assert.Null(ControlGroup.MemoryLimit(_root));
    }

    private void Write(string path, string text)
    {
        string file = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
