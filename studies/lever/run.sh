#!/usr/bin/env bash
# What mixture of experts is worth: MoE and dense models of equal training FLOPs on the same English text.
# usage: studies/lever/run.sh FOLDER [BUDGET]    all budgets up to this one of 1e13 3e13 1e14 3e14 1e15 (1e12 tries the script); 3e13 unless given
# Two runs at a time, a thread each (STREAMS=1 for one). Runs in FOLDER/results.jsonl are done and an interrupted one resumes; prints the
# tables of summary.py. To go on from what is recorded here: cp docs/evidence/efficiency-lever.jsonl FOLDER/results.jsonl
# FOLDER/corpora is what benchmarks/data/gather-corpora.sh gathered, and is gathered unless there.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(realpath -m "${1:?a folder for the runs}")
budget=${2:-3e13}
mkdir -p "$folder"

if [ ! -e "$folder/english/done" ]; then
    [ -e "$folder/corpora/mixture.json" ] || benchmarks/data/gather-corpora.sh "$folder/corpora"
    mkdir -p "$folder/english" "$folder/packages"
    (
        cd "$folder/packages"
        for package in dict-gcide dict-foldoc dict-jargon manpages manpages-dev; do
            [ -d "$package" ] && continue
            apt-get -q download "$package"
            dpkg-deb -x "$package"_*.deb "$package.part"
            mv "$package.part" "$package"
            rm "$package"_*.deb
        done
    )
    python3 studies/lever/reference_works.py "$folder/packages" "$folder/english/reference.jsonl"
    cp "$folder/corpora/english-prose/text.jsonl" "$folder/english/prose.jsonl"
    cp "$folder/corpora/english-technical/text.jsonl" "$folder/english/technical.jsonl"
    touch "$folder/english/done"
fi
[ -e "$folder/data" ] || ./lingotto data build "$folder/english" --out "$folder/data" --vocab-size 4096 --held-out-fraction 0.005

python3 studies/lever/study.py "$folder" "$budget"
python3 studies/lever/summary.py "$folder/results.jsonl" "$budget"
