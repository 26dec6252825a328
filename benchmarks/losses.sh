#!/usr/bin/env bash
# Prints 20 training losses of a tiny Ling 1.0 model, a tiny Ling 2.0 model and quickstart, with every digit.
# A refactoring keeps the output: run it before and after, and compare the two outputs with diff.
# usage: benchmarks/losses.sh FOLDER [PRECISION]     PRECISION is f32 (default) or bf16; LINGOTTO selects another build of the program
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?a folder for the runs} precision=${2:-f32}
mkdir -p "$folder"
lingotto=${LINGOTTO:-./lingotto}
python3 - "$folder/tiny-v1.json" <<'PY'
import json, sys
config = json.load(open("models/tiny.json"))
for key in ("partial_rotary_factor", "use_qk_norm", "n_group", "topk_group", "score_function", "routed_scaling_factor", "moe_router_enable_expert_bias"):
    config.pop(key)
config.update(architectures=["BailingMoeForCausalLM"], model_type="bailing_moe", norm_head=True, first_k_dense_replace=0, num_shared_experts=2)
json.dump(config, open(sys.argv[1], "w"))
PY
for model in "$folder/tiny-v1.json" tiny quickstart; do
    run=$folder/$(basename "$model" .json)
    "$lingotto" pretrain quickstart --run "$run" --fresh --quiet --set model="$model" \
        --set training.sequence_length=128 --set training.sequences_per_micro_batch=4 --set training.micro_batches=1 --set training.num_steps=20 --set training.minutes=null --set training.precision="$precision" \
        --set router.warmup_steps=10 --set schedule.warmup_steps=5 >/dev/null
    echo "== $(basename "$model" .json) $precision"
    grep '"kind":"step"' "$run/metrics.jsonl" | grep -oE '"(loss|grad_norm|balance_loss|z_loss)":[-0-9.eE]+' | paste - - - -
done
