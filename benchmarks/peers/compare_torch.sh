#!/usr/bin/env bash
# Training speed beside PyTorch (Debian's python3-torch, libopenblas0-pthread): same model, same batch, same cores, run in turn.
# usage: benchmarks/peers/compare_torch.sh [ROUNDS]    prints tokens/s of both precisions and the ratio of the medians
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for round in $(seq "$rounds"); do
    for precision in f32 bf16; do
        /usr/bin/python3 benchmarks/peers/torch_moe.py "$precision" 4 | grep -oE '[0-9]+ tok/s' | cut -d' ' -f1 >>"$scratch/torch.$precision"
    done
    ./lingotto bench --json "$scratch/bench.json" >/dev/null
    for precision in f32 bf16; do
        python3 -c "import json,sys; print(json.load(open('$scratch/bench.json'))['train']['$precision']['tokensPerSecond'])" \
            >>"$scratch/lingotto.$precision"
    done
    echo "round $round of $rounds"
done
python3 - "$scratch" <<'PYTHON'
import statistics, sys
def read(name):
    return [float(line) for line in open(f"{sys.argv[1]}/{name}")]
for precision in ("f32", "bf16"):
    torch, ours = read(f"torch.{precision}"), read(f"lingotto.{precision}")
    print(f"{precision}: lingotto {[round(x) for x in ours]}, torch {[round(x) for x in torch]} tokens/s; "
          f"medians {statistics.median(ours) / statistics.median(torch):.2f} times")
PYTHON
