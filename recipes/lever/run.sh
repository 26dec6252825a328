#!/usr/bin/env bash
# What mixture of experts is worth: MoE and dense models of equal training FLOPs on the same English text.
# usage: recipes/lever/run.sh FOLDER [BUDGET]...    budgets 1e13 3e13 1e14 3e14 1e15 (1e12 tries the script); 1e13 3e13 unless given
# Runs that are done are not run again and an interrupted one resumes; prints the tables of summary.py. RUN_WITH is put before each run.
# FOLDER/corpora is what benchmarks/data/gather-corpora.sh gathered, and is gathered unless there.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(realpath -m "${1:?a folder for the runs}")
budgets=("${@:2}")
[ ${#budgets[@]} -gt 0 ] || budgets=(1e13 3e13)
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
    python3 recipes/lever/reference_works.py "$folder/packages" "$folder/english/reference.jsonl"
    cp "$folder/corpora/english-prose/text.jsonl" "$folder/english/prose.jsonl"
    cp "$folder/corpora/english-technical/text.jsonl" "$folder/english/technical.jsonl"
    touch "$folder/english/done"
fi
[ -e "$folder/data" ] || ${RUN_WITH:-} ./lingotto data build "$folder/english" --out "$folder/data" --vocab-size 4096 --held-out-fraction 0.005

while true; do
    mapfile -t run < <(python3 recipes/lever/study.py "$folder" "${budgets[@]}")
    [ ${#run[@]} -gt 0 ] || break
    to=$folder/${run[0]}
    # The same packed data for all: links to it, where the run would look for its own.
    [ -e "$to/data" ] || { rm -rf "$to" && mkdir -p "$to" && cp -al "$folder/data" "$to/data.part" && mv "$to/data.part" "$to/data"; }
    echo "${run[0]}"
    ${RUN_WITH:-} ./lingotto pretrain recipes/lever/recipe.json --run "$to" --data "$folder/english" --set "data.tokenizer=$folder/data/tokenizer.json" \
        --quiet "${run[@]:1}" >/dev/null
    rm -r "$to/checkpoints"
    touch "$to/done"
done
python3 recipes/lever/summary.py "$folder" "${budgets[@]}"
