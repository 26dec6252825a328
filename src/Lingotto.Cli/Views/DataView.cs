using Lingotto.Text;

namespace Lingotto.Cli;

/// <summary>What a data folder or a text holds, as tables or as JSON.</summary>
internal static class DataView
{
    public static void Write(DatasetSummary s, bool asJson, TextWriter output)
    {
        if (asJson)
        {
            output.WriteLine(s.ToJson());
            return;
        }

        void Line(FormattableString text) => output.WriteLine(FormattableString.Invariant(text));
        TokensPerDocument t = s.TokensPerDocument;
        Line($"train       {s.Train.Documents:N0} documents, {s.Train.Tokens:N0} tokens, {Figures.Bytes(s.Train.Utf8Bytes)}");
        Line($"held out    {s.HeldOut.Documents:N0} documents, {s.HeldOut.Tokens:N0} tokens, {Figures.Bytes(s.HeldOut.Utf8Bytes)}");
        Line($"            gzip {8.0 * s.HeldOutGzipBytes / Math.Max(1, s.HeldOut.Utf8Bytes):F3} bits/byte");
        Line($"bytes       {s.BytesPerToken:F2} a token");
        Line($"tokens      a document: {t.Shortest} shortest, {t.Median} median, {t.P90} for 9 in 10, {t.Longest} longest");
        foreach (SourceSummary source in s.Sources.Where(source => source.Files is { Skipped: > 0 } or { Damaged: > 0 }))
        {
            output.WriteLine(source.Name);
            WriteFiles(source.Files!, output);
        }

        if (s.DocumentsForgotten > 0)
        {
            Line($"duplicates  not looked for among {s.DocumentsForgotten:N0} earlier documents: raise --dedup-memory");
        }
        Line($"\n{"source",-24}{"tier",4}{"weight",8}{"read",10}{"kept",10}{"tokens",14}{"bytes",12}");
        foreach (SourceSummary source in s.Sources)
        {
            string weight = source.Weight?.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture) ?? "size";
            Line(
                $"{source.Name,-24}{source.Tier,4}{weight,8}{source.ReadDocuments,10:N0}{source.TrainDocuments + source.HeldOutDocuments,10:N0}{source.TrainTokens + source.HeldOutTokens,14:N0}{Figures.Bytes(source.Languages.Sum(l => l.Utf8Bytes)),12}");
        }

        Line($"\n{"language",-24}{"documents",22}{"",10}{"tokens",14}{"bytes",12}");
        foreach (LanguageSummary language in s.Languages)
        {
            Line($"{language.Language,-24}{language.Documents,22:N0}{"",10}{language.Tokens,14:N0}{Figures.Bytes(language.Utf8Bytes),12}");
        }
        WriteReasons(s.Reasons, output);
    }

    public static void Write(CorpusSummary s, bool asJson, TextWriter output)
    {
        if (asJson)
        {
            output.WriteLine(s.ToJson());
            return;
        }

        void Line(FormattableString text) => output.WriteLine(FormattableString.Invariant(text));
        WriteFiles(s.Files, output);
        Line($"documents   {s.ReadDocuments:N0}, {s.KeptDocuments:N0} to keep");
        Line(
            $"text        {Figures.Bytes(s.ReadBytes)}, {Figures.Bytes(s.KeptBytes)} to keep; the longest document {Figures.Bytes(s.LongestBytes)}");
        if (s.DuplicateMembers > 0)
        {
            Line($"members     {s.DuplicateMembers:N0} of .NET documentation repeat another and were passed over");
        }
        Line($"\n{"language",-24}{"documents",22}{"",24}{"bytes",12}");
        foreach (LanguageSummary language in s.Languages)
        {
            Line($"{language.Language,-24}{language.Documents,22:N0}{"",24}{Figures.Bytes(language.Utf8Bytes),12}");
        }
        WriteReasons(s.Reasons, output);
        Line($"\nThe first document:\n\n{s.Example}");
    }

    private static void WriteFiles(FileTotals files, TextWriter output) => output.WriteLine(FormattableString.Invariant(
        $"files       {files.Read:N0} read ({Figures.Bytes(files.ReadBytes)}), {files.Skipped:N0} skipped ({Figures.Bytes(files.SkippedBytes)}), {files.Damaged:N0} damaged ({Figures.Bytes(files.DamagedBytes)})"));

    private static void WriteReasons(IReadOnlyList<ReasonCount> reasons, TextWriter output)
    {
        if (reasons.Count == 0)
        {
            return;
        }
        output.WriteLine(FormattableString.Invariant($"\n{"reason",-24}{"count",22}{"",24}{"bytes",12}"));
        foreach (ReasonCount reason in reasons)
        {
            output.WriteLine(FormattableString.Invariant(
                $"{reason.Reason,-24}{reason.Count,22:N0}{"",24}{Figures.Bytes(reason.Utf8Bytes),12}"));
            foreach (string example in reason.Examples.Take(2))
            {
                output.WriteLine($"    {example}");
            }
        }
    }
}
