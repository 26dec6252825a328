#!/usr/bin/env bash
# What docs/evidence says of a run that can be trusted, measured again: crashes, spikes, saves, tracing, parts of the recipe, data.
# Left out: the table of languages and that of what was left out (`lingotto data inspect FOLDER/trained`), and repetitions: a figure that
# evidence gives of several runs is here of one. Data comes last: by its time it fails on a machine that is busy, and its text
# needs the network and Debian 12 (benchmarks/data/gather-corpora.sh).
# usage: benchmarks/prove-training.sh FOLDER    what is done is not done again; FOLDER/NAME.log holds what each part printed, the end a line for each
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "${1:?a folder for logs and runs}"
folder=$(cd "$1" && pwd)

# part NAME COMMAND...: runs it unless FOLDER/NAME.seconds says that it has passed.
part() {
    local name=$1 began=$SECONDS
    shift
    [ -e "$folder/$name.seconds" ] && return
    echo "$name: $*"
    if ! "$@" >"$folder/$name.log" 2>&1; then
        tail -5 "$folder/$name.log" >&2
        echo "$name failed: see $folder/$name.log, and run the same command again for the rest" >&2
        exit 1
    fi
    echo $((SECONDS - began)) >"$folder/$name.seconds"
}

for first in 0 20 40 60 80; do
    part kills-$first ./lingotto torture --suite kills --first $first --trials 40
done
for suite in crashes bits disk; do
    part $suite ./lingotto torture --suite $suite
done
part sigterm benchmarks/sigterm.sh
part sigterm-early benchmarks/sigterm.sh 4 5 6
part saves ./lingotto bench --saves
part tracing ./lingotto bench --trace

echo '{ "model": "models/tiny.json", "training": { "sequence_length": 64, "sequences_per_micro_batch": 8, "micro_batches": 1, "num_steps": 10 } }' >"$folder/text.json"
part text ./lingotto pretrain "$folder/text.json" --run "$folder/text" --quiet
# spikes FAULT STEPS FAULTS SEED...: the seeds beside each other, a thread each, for nothing here is timed.
spikes() {
    local seed pid pids=() result=0
    dotnet build tests/Lingotto.Tests -c Release || return
    for seed in "${@:4}"; do
        LINGOTTO_SPIKE_TRIALS=$folder/text,$1,$seed,$2,$3,6,0 dotnet test tests/Lingotto.Tests -c Release --no-build \
            --filter FullyQualifiedName~long_run_are_counted --logger "console;verbosity=detailed" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || result=$?
    done
    return $result
}
for fault in Gradient10 RandomBytes Gradient100 Gradient10000; do
    part spikes-$fault spikes $fault 2500 50 1 2
done
part spikes-None spikes None 10000 0 1 2 3
part recipe-parts benchmarks/before-after/run.sh "$folder/before-after"

# build OUT MOST_SECONDS MOST_MB ARGUMENT...: builds data into FOLDER/OUT, and fails where it takes more time or memory than is aimed at.
build() {
    rm -rf "$folder/$1"
    /usr/bin/time -o "$folder/$1.time" -f '%e %M' ./lingotto data build --out "$folder/$1" "${@:4}" || return
    awk -v seconds="$2" -v mb="$3" '{ print $1 " s, " $2 / 1000 " MB resident; aim: " seconds " s, " mb " MB"; exit ($1 > seconds || $2 / 1000 > mb) }' \
        "$folder/$1.time"
}
mixture=(--mixture "$folder/corpora/mixture.json")
given=(--tokenizer "$folder/trained/tokenizer.json")
part data-corpora benchmarks/data/gather-corpora.sh "$folder/corpora"
./lingotto --help >/dev/null # Built before the clock runs.
part data-trained build trained 9 1000 "${mixture[@]}" # 135 MB at 15 MB/s.
part data-given build given 9 1000 "${mixture[@]}" "${given[@]}"
if [ ! -e "$folder/data-large-300.seconds" ]; then
    part data-multiply node benchmarks/data/multiply-corpora.mjs "$folder/corpora" 8 "$folder/large.jsonl"
    part data-large build large 75 1000 "$folder/large.jsonl" "${given[@]}" # 1,130 MB.
    DOTNET_GCHeapHardLimit=0x12C00000 part data-large-300 build large 75 400 "$folder/large.jsonl" "${given[@]}" --dedup-memory 64
    rm -r "$folder/large.jsonl" "$folder/large"
fi
part data-near-duplicates dotnet test tests/Lingotto.Tests -c Release --filter FullyQualifiedName~NearDuplicate --logger "console;verbosity=detailed"

total=0
for file in "$folder"/*.seconds; do
    printf '%-24s %6s s\n' "$(basename "$file" .seconds)" "$(cat "$file")"
    total=$((total + $(cat "$file")))
done
echo "in all $((total / 60)) minutes"
