#!/usr/bin/env bash
# SIGTERM to exit on models/moe-bench.json (1.4 GB of state): seconds, exit code, and whether the checkpoint is intact.
# Usage: benchmarks/sigterm.sh [SECONDS OF TRAINING BEFORE THE SIGNAL]...   (20 and 33 when absent; a save is begun at step 8)
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/.." && pwd)
run=$(mktemp -d)
trap 'rm -rf -- "$run"' EXIT
"$root/lingotto" --help >/dev/null # Built before the clock runs.

for wait in "${@:-20 33}"; do for seconds in $wait; do
    dotnet exec "$root/artifacts/bin/Lingotto.Cli/release/lingotto.dll" pretrain quickstart --run "$run/run" --fresh \
        --set model=moe-bench --set training.sequence_length=512 --set training.sequences_per_micro_batch=8 \
        --set training.minutes=60 --set checkpoints.every_steps=4 --set evaluation.every_steps=0 --json >"$run/log" 2>"$run/errors" &
    process=$!
    until grep -q '"started"' "$run/log"; do sleep 0.2; done
    sleep "$seconds"
    began=$(date +%s.%N)
    kill -TERM $process
    code=0
    wait $process || code=$?
    ended=$(date +%s.%N)
    newest=$(cat "$run/run/checkpoints/latest")
    steps=$(grep -c '"kind":"step"' "$run/log" || true)
    saves=$(grep -c '"kind":"saved"' "$run/log" || true)
    echo "after ${seconds}s, $steps steps, $saves saves: $(echo "$ended - $began" | bc) s to exit code $code, newest $newest, $(du -sm "$run/run/checkpoints/$newest" | cut -f1) MB"
    dotnet exec "$root/artifacts/bin/Lingotto.Cli/release/lingotto.dll" generate "$run/run" --prompt The --tokens 1 >/dev/null && echo "  it loads"
done; done
