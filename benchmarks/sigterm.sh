#!/usr/bin/env bash
# SIGTERM to exit on models/moe-bench.json (1.4 GB of state): seconds, exit code, and the step at which the same command resumes.
# Usage: benchmarks/sigterm.sh [SECONDS OF TRAINING BEFORE THE SIGNAL]...   (14, 20 and 23 when absent; a save begins every 4 steps)
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/.." && pwd)
run=$(mktemp -d)
process=
trap '{ kill -KILL $process && wait $process; } 2>/dev/null || true; rm -rf -- "$run"' EXIT
"$root/lingotto" --help >/dev/null # Built before the clock runs.

start() {
    dotnet exec "$root/artifacts/bin/Lingotto.Cli/release/lingotto.dll" pretrain quickstart --run "$run/run" \
        --set model=moe-bench --set training.sequence_length=512 --set training.sequences_per_micro_batch=8 \
        --set training.minutes=60 --set checkpoints.every_steps=4 --set evaluation.every_steps=0 --json >"$run/log" 2>"$run/errors" &
    process=$!
    until grep -q '"started"' "$run/log"; do
        kill -0 $process 2>/dev/null || { cat "$run/errors" >&2; exit 1; }
        sleep 0.2
    done
    grep -o '"resumed_step":[0-9]*' "$run/log"
}

start
for seconds in "${@:-14 20 23}"; do for wait in $seconds; do
    sleep "$wait"
    began=$(date +%s.%N)
    kill -TERM $process
    code=0
    wait $process || code=$?
    ended=$(date +%s.%N)
    newest=$(cat "$run/run/checkpoints/latest")
    echo "SIGTERM after $wait s and $(grep -c '"kind":"step"' "$run/log") steps, $(grep -c '"kind":"saved"' "$run/log") saves:" \
        "exit code $code in $(echo "$ended - $began" | bc) s; $newest, $(du -sm "$run/run/checkpoints/$newest" | cut -f1) MB"
    start
done; done
