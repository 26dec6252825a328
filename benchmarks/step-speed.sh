#!/usr/bin/env bash
# Compares the training step of two builds of the program: moe-bench on random order of the same text, runs of A and B in turn.
# Prints the median tokens/s of each run, and the median of the ratios B / A, pair by pair.
# usage: benchmarks/step-speed.sh A B FOLDER [PAIRS [STEPS]]     A and B are checkouts of this repository, built; FOLDER is for the runs
set -euo pipefail
a=${1:?a checkout} b=${2:?another checkout} folder=${3:?a folder for the runs} pairs=${4:-3} steps=${5:-4}
mkdir -p "$folder"
speed() { # CHECKOUT NAME
    local run=$folder/$2
    "$1/lingotto" pretrain quickstart --run "$run" --fresh --quiet --set model=moe-bench --set training.minutes=null \
        --set training.sequence_length=512 --set training.sequences_per_micro_batch=8 --set training.micro_batches=1 \
        --set training.num_steps="$steps" --set checkpoints.every_steps=0 --set evaluation.every_steps=0 --set data.held_out_fraction=0 \
        --set samples.prompts=[] --set training.precision=f32 >/dev/null
    grep '"kind":"step"' "$run/metrics.jsonl" | tail -n +2 | grep -oE '"tokens_per_second":[0-9.]+' | cut -d: -f2 | sort -n | awk '{v[NR]=$1} END {print v[int((NR + 1) / 2)]}'
}
for ((pair = 1; pair <= pairs; pair++)); do
    first=$(speed "$a" a) second=$(speed "$b" b)
    awk -v a="$first" -v b="$second" 'BEGIN {printf "A %.1f tokens/s, B %.1f tokens/s, B / A %.4f\n", a, b, b / a}'
done | tee "$folder/pairs.txt"
grep -oE '[0-9.]+$' "$folder/pairs.txt" | sort -n | awk '{v[NR]=$1} END {printf "median B / A %.4f of %d pairs\n", v[int((NR + 1) / 2)], NR}'
