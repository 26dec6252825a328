using System.Globalization;
using System.Text;

namespace Lingotto.Tests.Runs;

/// <summary>Run folders written by hand, for what a report must make of them.</summary>
internal static class RunFolders
{
    /// <summary>A run of two sessions that began at second 1000: 100 steps of a second, killed; 10 of them lost; an hour of standstill; 110 more.</summary>
    public static void WriteKilledAndResumed(string folder, string recipe = """{"model":"tiny","hardware":{"price_per_hour":3.6,"currency":"CHF","watts":500}}""")
    {
        Directory.CreateDirectory(folder);
        var text = new StringBuilder();
        text.AppendLine("""{"kind":"start","step":0,"time":1000,"chip":"Testchip <9000>","peak_gflops":100,"moe_layers":[2,5],"held_out_gzip_bits_per_byte":2.5}""");
        for (int step = 1; step <= 90; step++)
            AppendStep(text, step, 1010 + step);
        text.AppendLine("""{"kind":"start","step":90,"time":4710,"lost_steps":10,"lost_seconds":10,"lost_time":1110,"chip":"Testchip <9000>","moe_layers":[2,5],"held_out_gzip_bits_per_byte":2.5}""");
        for (int step = 91; step <= 200; step++)
            AppendStep(text, step, 4710 + step - 90);
        text.AppendLine("""{"kind":"expert_load","step":200,"steps":10,"load":[[10,10,10,10],[0,20,0,20]]}""");
        text.AppendLine("""{"kind":"held_out","step":200,"time":4825,"loss":2.5,"bits_per_byte":1.25,"tokens":100,"complete":true}""");
        text.AppendLine("""{"kind":"stop","step":200,"time":4830,"outcome":"completed","elapsed_seconds":200}""");
        File.WriteAllText(Path.Combine(folder, "metrics.jsonl"), text.ToString());
        File.WriteAllText(Path.Combine(folder, "recipe.json"), recipe);
        File.WriteAllText(Path.Combine(folder, "samples.txt"), "> <b>\n<b> & so on\n");
    }

    public static void AppendStep(StringBuilder text, int step, double time, double? loss = null)
    {
        double value = loss ?? 2 + (6.0 / step) + (0.01 * (step % 7));
        text.AppendLine(CultureInfo.InvariantCulture, $$"""
            {"kind":"step","step":{{step}},"time":{{time}},"tokens":{{step * 1000}},"loss":{{value}},"learning_rate":0.001,"grad_norm":{{0.5 + (0.01 * (step % 5))}},"balance_loss":1.1,"z_loss":8,"tokens_per_second":1000,"fraction_of_peak":0.5,"max_expert_load":1.5,"elapsed_seconds":{{step}},"resident_bytes":1048576,"cost":{{step * 0.001}},"cost_per_trillion_tokens":1000000,"kilowatt_hours":{{step * 500 / 3.6e6}}}
            """);
    }
}
