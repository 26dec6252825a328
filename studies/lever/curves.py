"""Loss against training FLOPs, every run and the two lines of summary.py, as a picture: curves.py RESULTS OUT.svg BUDGET"""
import math
import sys

import study
import summary

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 440, 62, 150, 16, 46
COLOURS = {"dense": "#c2410c", "moe": "#1d4ed8"}
NAMES = {"dense": "dense", "moe": "mixture of experts"}


class Axes:
    """Both logarithmic."""

    def __init__(self, computes, losses):
        self.x0, self.x1 = math.log(min(computes) / 1.3), math.log(max(computes) * 1.3)
        self.y0, self.y1 = math.log(min(losses) / 1.03), math.log(max(losses) * 1.03)

    def x(self, compute):
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log(compute) - self.x0) / (self.x1 - self.x0)

    def y(self, loss):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log(loss) - self.y0) / (self.y1 - self.y0)


def text(x, y, what, anchor="middle", colour="#334155"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{what}</text>'


def frame(axes, computes):
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "training FLOPs")
    yield text(LEFT, TOP - 4, "held-out nats a token", "start")
    for compute in computes:
        yield text(axes.x(compute), HEIGHT - BOTTOM + 18, f"{compute:.0e}".replace("e+", "e"))
    for tenth in range(math.ceil(math.exp(axes.y0) * 5), math.floor(math.exp(axes.y1) * 5) + 1):
        y = axes.y(tenth / 5)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#e2e8f0"/>' + text(LEFT - 8, y + 4, f"{tenth / 5:.1f}", "end")


def runs(axes, results, budgets, kind):
    """A dot a run: full where its size is the best of its kind and budget so far."""
    for budget in budgets:
        best = summary.best_so_far(results, budget, kind)
        for hidden, rows in summary.rows_of(results, budget, kind).items():
            for row in rows:
                fill = COLOURS[kind] if hidden == best else "none"
                yield (f'<circle cx="{axes.x(float(budget)):.1f}" cy="{axes.y(row["loss"]):.1f}" r="4" fill="{fill}" stroke="{COLOURS[kind]}">'
                       f"<title>{NAMES[kind]} of width {hidden}: {row['loss']:.4f}</title></circle>")


def main(path, out, largest):
    results, budgets = study.Results(path), study.up_to(largest)
    cells = summary.cells_of(results, budgets)
    losses = [row["loss"] for b in budgets for kind in study.KINDS for rows in summary.rows_of(results, b, kind).values() for row in rows]
    axes = Axes(list(map(float, budgets)), losses)
    parts = list(frame(axes, sorted(map(float, budgets))))
    for kind in study.KINDS:
        parts += runs(axes, results, budgets, kind)
        if len(cells) < 2:
            continue  # No line through one budget.
        p, q = summary.line([(compute, summary.mean(by_kind[kind])) for compute, by_kind in cells.items()])
        first, last = min(cells), max(cells)
        ends = [(axes.x(c), axes.y(math.exp(p + q * math.log(c)))) for c in (first, last)]
        parts.append(f'<line x1="{ends[0][0]:.1f}" y1="{ends[0][1]:.1f}" x2="{ends[1][0]:.1f}" y2="{ends[1][1]:.1f}" stroke="{COLOURS[kind]}" stroke-width="2"/>')
        parts.append(text(ends[1][0] + 10, ends[1][1] + 4, NAMES[kind], "start", COLOURS[kind]))
    with open(out, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">\n'
                   f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
