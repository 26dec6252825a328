namespace Lingotto.Compute;

/// <summary>What a kernel is called where its time is shown: its type, without the types of its elements.</summary>
internal static class KernelName
{
    public static string From(Type kernel)
    {
        string name = kernel.Name.Split('`')[0];
        return kernel.DeclaringType is { } owner
            ? $"{owner.Name}.{name.Replace("Kernel", string.Empty, StringComparison.Ordinal)}".TrimEnd('.') : name;
    }

    /// <summary>The name, made once.</summary>
    public static class Of<TKernel>
    {
        public static readonly string Text = From(typeof(TKernel));
    }
}
