"""The study: which models, budgets, rates and seeds. study.py FOLDER BUDGET... prints the next run that is not done: its name
under FOLDER, then the arguments of pretrain, a line each; nothing when all are done. Writes the models to FOLDER/models.

Both kinds share width H, layers, heads and all else; they differ in the MLP alone:
  dense  SwiGLU of width 8/3 H
  moe    64 experts of width H/4, 4 chosen, 1 shared: E, E_a, E_s of the experiments behind the law (arXiv 2507.17702), G = 2H / (H/4) = 8
"""
import json
import math
import os
import sys

KINDS = ("dense", "moe")
SIZES = [(64, 3), (128, 4), (192, 5), (256, 6), (320, 8), (448, 9), (576, 11)]  # H, layers
HEAD_DIM, VOCAB, SEQUENCE = 32, 4096, 256
EXPERTS, CHOSEN, SHARED = 64, 4, 1
# The first of the three sizes of each budget. 1e12 tries the script; at 1e13 rates are tuned, a third of what it takes at 3e13.
BUDGETS = {"1e12": 0, "1e13": 0, "3e13": 1, "1e14": 2, "3e14": 3, "1e15": 4}
# Powers of 2: the rates of every model at the budget where rates are tuned; while the best is at an end, one more is tried there.
RATES = [2 ** -9, 2 ** -8, 2 ** -7]
SEEDS = (1, 2, 3)  # 2 and 3 for the best size of each kind only
# Exponents in C of the best rate and batch (Ling report, figure 12); the batch at 3e13 is ours.
RATE_EXPONENT, BATCH_EXPONENT, SEQUENCES_AT_3E13 = -0.1579, 0.3447, 8


def tuned_at(budget):
    return "1e12" if budget == "1e12" else "1e13"


def sizes(budget):
    return SIZES[BUDGETS[budget]:BUDGETS[budget] + 3]


def sequences(budget):
    """Sequences of an update: even, at least 2."""
    return max(2, 2 * round(SEQUENCES_AT_3E13 * (float(budget) / 3e13) ** BATCH_EXPONENT / 2))


def model(kind, hidden, layers):
    heads = hidden // HEAD_DIM
    config = {
        "architectures": ["BailingMoeForCausalLM"], "model_type": "bailing_moe", "vocab_size": VOCAB, "hidden_size": hidden,
        "intermediate_size": 8 * round(hidden / 3), "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": heads // 2, "head_dim": HEAD_DIM, "hidden_act": "silu",
        "rms_norm_eps": 1e-6, "max_position_embeddings": SEQUENCE, "rope_theta": 10000, "use_bias": False, "use_qkv_bias": False,
        "norm_head": False, "tie_word_embeddings": False, "initializer_range": 0.02, "num_experts": 0,
    }
    if kind == "moe":
        config |= {
            "num_experts": EXPERTS, "num_experts_per_tok": CHOSEN, "num_shared_experts": SHARED, "moe_intermediate_size": hidden // 4,
            "first_k_dense_replace": 0, "norm_topk_prob": True,
        }
    return config


def flops_per_token(config):
    """As lingotto counts: 6 a weight that multiplies, the head among them, and 6 L A D T for causal attention."""
    hidden, layers = config["hidden_size"], config["num_hidden_layers"]
    queries, keys = config["num_attention_heads"] * HEAD_DIM, config["num_key_value_heads"] * HEAD_DIM
    mlp = 3 * hidden * config["intermediate_size"]
    if config["num_experts"] > 0:
        mlp = hidden * EXPERTS + (CHOSEN + SHARED) * 3 * hidden * config["moe_intermediate_size"]
    weights = layers * (hidden * (2 * queries + 2 * keys) + mlp) + VOCAB * hidden
    return 6 * weights + 6 * layers * queries * SEQUENCE


def steps(budget, config):
    return round(float(budget) / (flops_per_token(config) * sequences(budget) * SEQUENCE))


def name(budget, kind, hidden, rate, seed):
    return f"{budget}/{kind}-{hidden}-rate{rate:.3g}-seed{seed}"


def loss(folder, run):
    """Held-out nats a token at the end of a run; None when it is not done."""
    if not os.path.exists(f"{folder}/{run}/done"):
        return None
    with open(f"{folder}/{run}/metrics.jsonl", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    value = [line["loss"] for line in lines if line["kind"] == "held_out"][-1]
    return value if value is not None and math.isfinite(value) else math.inf


def tried(folder, budget, kind, hidden):
    """Losses by rate at the budget where rates are tuned, and the rate to try next, None when the best is known."""
    rates, losses = list(RATES), {}
    while True:
        for rate in rates:
            value = loss(folder, name(budget, kind, hidden, rate, 1))
            if value is None:
                return losses, rate
            losses[rate] = value
        best = min(losses, key=losses.get)
        if best == min(rates):
            rates.append(best / 2)
        elif best == max(rates):
            rates.append(best * 2)
        else:
            return losses, None


def rate(folder, budget, kind, hidden):
    """The rate of a run: the best one where rates are tuned (of the nearest size that was), carried by the law; None before any is."""
    tuned = tuned_at(budget)
    nearest = min((h for h, _ in sizes(tuned)), key=lambda h: abs(h - hidden))
    losses, _ = tried(folder, tuned, kind, nearest)
    return min(losses, key=losses.get) * (float(budget) / float(tuned)) ** RATE_EXPONENT if losses else None


def best(folder, budget, kind):
    """Of the three sizes the one of the least loss: H, layers."""
    return min(sizes(budget), key=lambda s: loss(folder, name(budget, kind, s[0], rate(folder, budget, kind, s[0]), 1)))


def next_run(folder, budget):
    """Budget, kind, H, layers, rate, seed of a run to do for this budget; None when all are done."""
    every = [(kind, hidden, layers) for hidden, layers in sizes(tuned_at(budget)) for kind in KINDS]
    for kind, hidden, layers in every:
        _, missing = tried(folder, tuned_at(budget), kind, hidden)
        if missing is not None:
            return tuned_at(budget), kind, hidden, layers, missing, 1
    for seed in SEEDS:
        for kind in KINDS:
            for hidden, layers in sizes(budget) if seed == 1 else [best(folder, budget, kind)]:
                value = rate(folder, budget, kind, hidden)
                if loss(folder, name(budget, kind, hidden, value, seed)) is None:
                    return budget, kind, hidden, layers, value, seed
    return None


def main(folder, budgets):
    for wanted in budgets:
        if (run := next_run(folder, wanted)) is None:
            continue
        budget, kind, hidden, layers, learning_rate, seed = run
        config = model(kind, hidden, layers)
        path = f"{folder}/models/{kind}-{hidden}.json"
        os.makedirs(f"{folder}/models", exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file, indent=2)
        count = steps(budget, config)
        settings = {
            "model": path, "training.num_steps": count, "training.sequences_per_micro_batch": sequences(budget),
            "schedule.learning_rate": f"{learning_rate:.6g}", "schedule.warmup_steps": count // 20,
            "router.warmup_steps": count // 20 if kind == "moe" else 0,
        }
        print(name(*run[:3], learning_rate, seed), "--seed", seed, *(f"--set\n{key}={value}" for key, value in settings.items()), sep="\n")
        return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
