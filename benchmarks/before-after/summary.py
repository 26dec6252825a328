"""The table of run.sh: held-out nats a token by seed, tokens, skipped steps, mean load of the busiest expert over the first 40 steps."""
import json
import re
import statistics
import sys

folder, seeds = sys.argv[1], sys.argv[2:]
NAMES = [
    "as-it-is", "routing-warmup-off", "constant-rate", "large-batch", "batch-warmup", "unclipped-guarded", "unclipped-unguarded",
]


def read(name, seed):
    with open(f"{folder}/{name}-{seed}/metrics.jsonl", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    steps = [line for line in lines if line["kind"] == "step"]
    heldout = [line for line in lines if line["kind"] == "held_out"][-1]["loss"]
    early = statistics.mean(line["max_expert_load"] for line in steps[:40])
    return heldout, steps[-1]["tokens"], sum(bool(line.get("skipped")) for line in steps), early


def merged(seed):
    with open(f"{folder}/constant-rate-{seed}/merged.txt", encoding="utf-8") as file:
        return float(re.search(r"held-out loss ([0-9.]+)", file.read()).group(1))


print(f"{'run':22}{'held-out nats by seed':34}{'mean':>8}{'tokens':>12}{'skipped':>9}{'early load':>12}")
for name in NAMES:
    rows = [read(name, seed) for seed in seeds]
    losses = [row[0] for row in rows]
    print(f"{name:22}{' '.join(f'{x:8.4f}' for x in losses):34}{statistics.mean(losses):8.4f}"
          f"{rows[0][1]:12,}{sum(row[2] for row in rows):9}{statistics.mean(row[3] for row in rows):12.2f}")
losses = [merged(seed) for seed in seeds]
print(f"{'constant-rate merged':22}{' '.join(f'{x:8.4f}' for x in losses):34}{statistics.mean(losses):8.4f}")
