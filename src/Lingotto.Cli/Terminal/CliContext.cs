namespace Lingotto.Cli;

/// <summary>What a command is given beside its arguments.</summary>
/// <param name="Terminal">Where it reads and writes.</param>
/// <param name="AssetFolder">Folder that holds recipes/ and models/.</param>
/// <param name="Cancellation">A signal asked the program to end.</param>
internal sealed record CliContext(Terminal Terminal, string AssetFolder, CancellationToken Cancellation);
