#!/usr/bin/env bash
# What each part of the recipe buys: the same run with it and without, over three seeds, on the documentation of .NET.
# usage: benchmarks/before-after/run.sh FOLDER [SEED]...    runs that are done are not run again; prints the table of summary.py
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:?a folder for the runs}
seeds=("${@:2}")
[ ${#seeds[@]} -gt 0 ] || seeds=(1 2 3)
train() { # NAME SEED [--set KEY=VALUE]...
    local run=$folder/$1-$2
    [ -e "$run/done" ] && return
    ./lingotto pretrain benchmarks/before-after/recipe.json --run "$run" --seed "$2" --threads 1 --quiet "${@:3}" >/dev/null
    touch "$run/done"
}
all() { # SEED
    local seed=$1 merged
    train as-it-is "$seed"
    train routing-warmup-off "$seed" --set router.warmup_steps=0
    # Annealing and merging: a constant rate to the end, eight checkpoints over the steps of the decay.
    train constant-rate "$seed" --set schedule.decay_fraction=0 --set checkpoints.every_steps=8 --set checkpoints.keep=8
    merged=$folder/constant-rate-$seed/merged
    if [ ! -e "$merged.txt" ]; then
        ./lingotto merge "$folder/constant-rate-$seed" --last 8 --out "$merged" >"$merged.tmp"
        mv "$merged.tmp" "$merged.txt"
    fi
    # Batches of 8,192 tokens, the same tokens in all: from the start, or risen to over the first half.
    train large-batch "$seed" --set training.micro_batches=4 --set training.num_steps=64
    train batch-warmup "$seed" --set training.micro_batches=4 --set training.num_steps=110 \
        --set schedule.batch_warmup_from=1 --set schedule.batch_warmup_tokens=262144
    # The guard where it has something to do: a rate five times as high, gradients not clipped.
    train unclipped-guarded "$seed" --set optimizer.grad_clip=1e9 --set schedule.learning_rate=1e-2
    train unclipped-unguarded "$seed" --set optimizer.grad_clip=1e9 --set schedule.learning_rate=1e-2 --set spikes.deviations=0
}
./lingotto --help >/dev/null # Built before three of it start.
# The seeds beside each other, a thread each: nothing here is timed.
pids=()
for seed in "${seeds[@]}"; do
    all "$seed" &
    pids+=($!)
done
for pid in "${pids[@]}"; do
    wait "$pid"
done
python3 benchmarks/before-after/summary.py "$folder" "${seeds[@]}"
