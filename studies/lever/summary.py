"""The tables of run.sh: rates tried, the runs of each budget, and the compute that dense needs to match MoE, beside the published law.

    summary.py RESULTS BUDGET      of the budgets up to this one; RESULTS is FOLDER/results.jsonl, or docs/evidence/efficiency-lever.jsonl

Curves: ln loss = p + q ln C, least squares over the means of the best size at each budget, each kind for itself. Size and rate are chosen by
seed 1, so the mean is that of the other seeds: the best of several runs is better than it will be again.
Lever: C_dense / C_moe at the loss that MoE measured, C_dense read off the dense line.
Interval: parametric bootstrap over seeds. Seeds scatter by s, pooled over all cells with two or more; each draw takes s anew from
s^2 nu / chi^2(nu), moves every mean by N(0, s / sqrt(n)) and fits again. The choice of size and rate is held fixed.
"""
import json
import math
import random
import statistics
import sys

import study

DRAWS = 10_000
PRICE = 0.05  # EUR a core and hour: half of what recipes/quickstart.json assumes for two


def seconds(row):
    """Of one core, the updates alone."""
    return row["steps"] * row["step_seconds"]


def rates_table(results, budget):
    print(f"\nHeld-out nats a token by peak rate at {budget} FLOPs, seed 1")
    for kind in study.KINDS:
        for hidden, _ in study.sizes(results, budget, kind):
            losses, missing = study.tried(results, budget, kind, hidden)
            text = "  ".join(f"{rate:.3g}: {losses[rate]:.4f}" for rate in sorted(losses))
            print(f"  {kind:6}{hidden:4}  {text}{'  (not all tried)' if missing else ''}")


def rows_of(results, budget, kind):
    """By size, the runs of a budget at their best rate that are done, seed by seed."""
    rows = {}
    for hidden, _ in study.sizes(results, budget, kind):
        rate = study.rate(results, budget, kind, hidden)
        names = [study.name(budget, kind, hidden, rate, seed) for seed in study.SEEDS] if rate else []
        rows[hidden] = [results[name] for name in names if results.loss(name) not in (None, math.inf)]
    return rows


def best_so_far(results, budget, kind):
    """H of the least loss of seed 1 among the sizes that are done, where there are two; None before."""
    losses = {hidden: rows[0]["loss"] for hidden, rows in rows_of(results, budget, kind).items() if rows}
    return min(losses, key=losses.get) if len(losses) > 1 else None


def cells_of(results, budgets):
    """By compute and kind, the runs of the best size; of those done so far where not all sizes are, which is said."""
    cells = {}
    for budget in budgets:
        whole = all(study.best(results, budget, kind) for kind in study.KINDS)
        best = {kind: best_so_far(results, budget, kind) for kind in study.KINDS}
        if None in best.values():
            continue
        cells[float(budget)] = {kind: rows_of(results, budget, kind)[hidden] for kind, hidden in best.items()}
        if not whole:
            print(f"\nNot all sizes are tried at {budget}: what follows takes the best of those done.")
    return cells


def runs_table(results, budget):
    print(f"\n{budget} FLOPs")
    print("  kind   H    total   active  FLOPs/token   tokens  epochs  rate        nats by seed         bits/byte  core seconds  TFLOP/s    EUR")
    for kind in study.KINDS:
        for hidden, rows in rows_of(results, budget, kind).items():
            if not rows:
                continue
            first, taken = rows[0], min(map(seconds, rows))
            losses = " ".join(f"{row['loss']:.4f}" for row in rows)
            print(f"  {kind:6}{hidden:4}{first['total'] / 1e6:8.2f}M{first['active'] / 1e6:7.2f}M{first['flops_per_token']:12.3g}{first['tokens'] / 1e6:8.2f}M"
                  f"{first['epochs']:7.2f}  {study.rate(results, budget, kind, hidden):<10.3g}{losses:22}{first['bits_per_byte']:9.4f}{taken:12.0f}"
                  f"{float(budget) / taken / 1e12:11.3f}{taken / 3600 * PRICE:9.4f}{'  skipped ' + str(first['skipped']) if first['skipped'] else ''}")


def line(points):
    """p and q of ln loss = p + q ln C."""
    xs, ys = [math.log(c) for c, _ in points], [math.log(l) for _, l in points]
    x, y = statistics.mean(xs), statistics.mean(ys)
    q = sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum((a - x) ** 2 for a in xs)
    return y - q * x, q


def lever(dense, moe, compute):
    """Dense compute of the loss that MoE reaches with this compute, as a multiple of it; without bound where dense does not get better."""
    p, q = line(dense)
    times = (math.log(dict(moe)[compute]) - p) / q - math.log(compute) if q < 0 else math.inf
    return math.exp(times) if times < 100 else math.inf


def published(compute):
    """Efficiency leverage of arXiv 2507.17702 for the MoE of the study; log10 of C and log2 of G."""
    a, d, gamma, beta, start, largest = 1.23, -7.61e-2, 1.67e-2, -1.17e-1, 1.63e-2, 5.28e16
    active = (study.CHOSEN + study.SHARED) / (study.EXPERTS + study.SHARED)
    grain = math.log2(2 / (1 / 4))
    saturated = 1 / (1 / (active + 1 / (1 / start - 1 / largest)) + 1 / largest)
    return saturated ** (a + d * math.log10(compute) + gamma * grain ** 2 + beta * grain)


def pooled(cells):
    """Standard deviation of a run among seeds, and its degrees of freedom."""
    groups = [[row["loss"] for row in rows] for by_kind in cells.values() for rows in by_kind.values() if len(rows) > 1]
    freedom = sum(len(group) - 1 for group in groups)
    return (math.sqrt(sum(statistics.variance(g) * (len(g) - 1) for g in groups) / freedom) if freedom else 0.0), freedom


def draws(cells, spread, freedom, compute):
    source, result = random.Random(1), []
    for _ in range(DRAWS):
        s = spread * math.sqrt(freedom / source.gammavariate(freedom / 2, 2))
        points = {
            kind: [(c, mean(by_kind[kind]) + source.gauss(0, s / math.sqrt(max(1, len(by_kind[kind]) - 1)))) for c, by_kind in cells.items()]
            for kind in study.KINDS
        }
        result.append(lever(points["dense"], points["moe"], compute))
    return sorted(result)


def mean(rows):
    """Of the seeds that chose nothing; of the first where there are no others yet."""
    return statistics.mean(row["loss"] for row in rows[1:] or rows)


def levers(cells):
    points = {kind: [(c, mean(by_kind[kind])) for c, by_kind in cells.items()] for kind in study.KINDS}
    spread, freedom = pooled(cells)
    print(f"\nSeeds scatter by {spread:.4f} nats ({freedom} degrees of freedom)")
    single = [f"{compute:.0e}" for compute, by_kind in cells.items() if any(len(rows) < 2 for rows in by_kind.values())]
    if single:
        print(f"Only the seed that chose size and rate is done for a kind at {', '.join(single)}: its loss is too good.")
    if len(cells) < 2 or freedom == 0:
        print("A curve needs two budgets, an interval two seeds.")
        return
    for kind in study.KINDS:
        p, q = line(points[kind])
        worst = max(abs(math.log(l) - p - q * math.log(c)) for c, l in points[kind])
        print(f"  {kind:6} loss = {math.exp(p):.3f} C^{q:.4f}, worst point {100 * worst:.2f} % off")
    print("\n  FLOPs    dense    moe      lever, 95 % interval      law    wall time of dense at that loss / of moe")
    for compute, by_kind in cells.items():
        value, sample = lever(points["dense"], points["moe"], compute), draws(cells, spread, freedom, compute)
        low, high = sample[int(0.025 * DRAWS)], sample[int(0.975 * DRAWS)]
        beyond = "" if value * compute <= max(cells) else " (beyond the dense runs)"
        taken = {kind: min(map(seconds, by_kind[kind])) for kind in study.KINDS}
        print(f"  {compute:.0e}{mean(by_kind['dense']):9.4f}{mean(by_kind['moe']):9.4f}{value:8.2f}  [{low:.2f}, {high:.2f}]"
              f"{published(compute):12.2f}{value * taken['dense'] / taken['moe']:8.2f}{beyond}")


def main(path, largest):
    results, budgets = study.Results(path), study.up_to(largest)
    for budget in budgets:
        rates_table(results, budget)
        runs_table(results, budget)
    if cells := cells_of(results, budgets):
        levers(cells)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
