#!/usr/bin/env bash
# The planner on this machine: one bench, then three recipes predicted from it and run for a minute each.
# usage: benchmarks/planner-here/run.sh FOLDER    a line a recipe: predicted tokens/s and memory, and what was measured; FOLDER/here.json is the machine
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:?a folder for the runs}
mkdir -p "$folder"
./lingotto bench --device-file "$folder/here.json" >/dev/null
for recipe in quickstart benchmarks/planner-here/moe-bench.json benchmarks/planner-here/eight-experts.json; do
    run=$folder/$(basename "$recipe" .json)
    ./lingotto pretrain "$recipe" --run "$run" --fresh --max-time 60s --quiet >/dev/null
    ./lingotto plan "$recipe" --here "$folder/here.json" --run "$run"
done
