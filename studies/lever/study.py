"""The study: which models, budgets, rates and seeds, and the running of them.

    study.py FOLDER BUDGET      does what is not done yet of the budgets up to this one, STREAMS runs at a time (2 unless set) of a thread each

FOLDER/data holds the packed text, FOLDER/runs what is under way, FOLDER/models the models, FOLDER/results.jsonl a line for each run that is done.

Both kinds share width H, layers, heads and all else; they differ in the MLP alone:
  dense  SwiGLU of width 8/3 H
  moe    64 experts of width H/4, 4 chosen, 1 shared: E, E_a, E_s of the experiments behind the law (arXiv 2507.17702), G = 2H / (H/4) = 8
"""
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import threading

KINDS = ("dense", "moe")
SIZES = [(64, 3), (128, 4), (192, 5), (256, 6), (320, 8)]  # H, layers
HEAD_DIM, VOCAB, SEQUENCE = 32, 4096, 256
EXPERTS, CHOSEN, SHARED = 64, 4, 1
# Of FLOPs. At the first of them rates are tuned, a third of what it takes at 3e13. 1e12 alone tries the script.
BUDGETS = ["1e13", "3e13", "1e14", "3e14", "1e15"]
TRIAL = "1e12"
# Powers of 2: the rates of every model at the budget where rates are tuned first.
RATES = [2 ** -9, 2 ** -8, 2 ** -7]
LAST_TUNED = "1e14"  # beyond it a run takes too long to try rates: all sizes take the best of this budget, carried by the law
CLOSE = 0.2  # nats
SEEDS = (1, 2, 3)  # 2 and 3 for the best size of each kind only
# Exponents in C of the best rate and batch (Ling report, figure 12); the batch at 3e13 is ours.
RATE_EXPONENT, BATCH_EXPONENT, SEQUENCES_AT_3E13 = -0.1579, 0.3447, 8
REPEATED = 4  # epochs at most


def tuned_at(budget):
    return TRIAL if budget == TRIAL else BUDGETS[0]


def up_to(budget):
    return [TRIAL] if budget == TRIAL else BUDGETS[:BUDGETS.index(budget) + 1]


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


class Results(dict):
    """What each run that is done said of itself, by name; a line of a file each."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.update((line["run"], line) for line in map(json.loads, file))

    def add(self, record):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        self[record["run"]] = record

    def loss(self, run):
        """Held-out nats a token at the end of a run; None when it is not done."""
        return None if run not in self else math.inf if self[run]["loss"] is None else self[run]["loss"]


def is_tuned(budget):
    return budget == TRIAL or BUDGETS.index(budget) <= BUDGETS.index(LAST_TUNED)


def carried(results, budget, kind, hidden):
    """
    A rate carried by the law, None before it is known: the best where rates are tuned first, of the nearest size that was; beyond the last
    budget that is tuned, the best there, of its best size.
    """
    if not is_tuned(budget):
        least = best(results, LAST_TUNED, kind)
        return least and rate(results, LAST_TUNED, kind, least[0]) * (float(budget) / float(LAST_TUNED)) ** RATE_EXPONENT
    nearest = min((h for h, _ in SIZES[:3]), key=lambda h: abs(h - hidden))
    losses, missing = tried(results, tuned_at(budget), kind, nearest)
    return None if missing else min(losses, key=losses.get) * (float(budget) / float(tuned_at(budget))) ** RATE_EXPONENT


def sizes(results, budget, kind):
    """
    H, layers of those that a budget tries; none before they are known. Three from the best of the budget before on, as the best size
    grows with compute; while the largest is the best, judged by carried rates, and there is one more, that too.
    """
    before = BUDGETS[:BUDGETS.index(budget)] if budget != TRIAL else []
    start = best(results, before[-1], kind) if before else SIZES[0]
    if start is None:
        return []
    first, last = SIZES.index(start), SIZES.index(start) + 3
    while budget != tuned_at(budget) and last < len(SIZES):
        losses = at_carried(results, budget, kind, SIZES[first:last])
        if None in losses.values() or min(losses, key=losses.get) != SIZES[last - 1][0]:
            break
        last += 1
    return SIZES[first:last]


def at_carried(results, budget, kind, some):
    """Loss of each H at its carried rate; None where it is not done."""
    rates = {hidden: carried(results, budget, kind, hidden) for hidden, _ in some}
    return {hidden: rate and results.loss(name(budget, kind, hidden, rate, 1)) for hidden, rate in rates.items()}


def tried(results, budget, kind, hidden):
    """
    Losses by rate, and the rates to try next, none when the best is known: all of RATES where rates are tuned first; the carried rate
    elsewhere and, up to the last budget that is tuned, for a size within CLOSE of the best, its half and its double. While the best is at an
    end, one more there.
    """
    rates, losses, is_first = list(RATES), {}, budget == tuned_at(budget)
    if not is_first:
        rates = [carried(results, budget, kind, hidden)]
        if rates[0] is None:
            return {}, []
    while True:
        losses |= {rate: results.loss(name(budget, kind, hidden, rate, 1)) for rate in rates if rate not in losses}
        missing = [rate for rate in rates if losses[rate] is None]
        if missing:
            return {rate: value for rate, value in losses.items() if value is not None}, missing
        if not is_tuned(budget):
            return losses, []
        if len(rates) == 1:
            others = at_carried(results, budget, kind, sizes(results, budget, kind))
            if None in others.values() or losses[rates[0]] > min(others.values()) + CLOSE:
                return losses, []
            rates += [rates[0] / 2, rates[0] * 2]
            continue
        least = min(losses, key=losses.get)
        if math.isinf(losses[least]):
            return losses, []  # None of them learns: the size is not the best.
        if least == min(rates):
            rates.append(least / 2)
        elif least == max(rates):
            rates.append(least * 2)
        else:
            return losses, []


def rate(results, budget, kind, hidden):
    """The best rate tried; None before one was."""
    losses, _ = tried(results, budget, kind, hidden)
    return min(losses, key=losses.get) if losses else None


def best(results, budget, kind):
    """The size of the least loss at its best rate: H, layers; None before all are done."""
    losses = {}
    for hidden, layers in sizes(results, budget, kind):
        done, missing = tried(results, budget, kind, hidden)
        if missing or not done:
            return None
        losses[hidden, layers] = min(done.values())
    return min(losses, key=losses.get) if losses else None


def to_do(results, budgets):
    """Runs that could be done now, in order: budget, kind, H, layers, rate, seed."""
    for budget in budgets:
        found = {kind: sizes(results, budget, kind) for kind in KINDS}
        for place in range(len(SIZES)):
            for kind in KINDS:
                for hidden, layers in found[kind][place:place + 1]:
                    for value in tried(results, budget, kind, hidden)[1]:
                        yield budget, kind, hidden, layers, value, 1
    for seed in SEEDS[1:]:
        for budget in budgets:
            for kind in KINDS:
                least = best(results, budget, kind)
                if least is not None:
                    value = rate(results, budget, kind, least[0])
                    if results.loss(name(budget, kind, least[0], value, seed)) is None:
                        yield budget, kind, *least, value, seed


def measured(folder, run, budget, config):
    """What a run says of itself; its FLOPs must be those that the study counted. Seconds of an update: the fastest tenth, as others use the machine."""
    with open(f"{folder}/{run}/metrics.jsonl", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    start, updates = lines[0], [line for line in lines if line["kind"] == "step"]
    held_out, tokens = [line for line in lines if line["kind"] == "held_out"][-1], updates[-1]["tokens"]
    assert start["flops_per_token"] == flops_per_token(config), f"{run}: the study and lingotto count other FLOPs"
    assert abs(start["flops_per_token"] * tokens / float(budget) - 1) < 0.01, f"{run}: not the FLOPs of its budget"
    assert tokens <= REPEATED * start["train_tokens"], f"{run}: more than {REPEATED} epochs"
    return {
        "run": run, "loss": held_out["loss"], "bits_per_byte": held_out["bits_per_byte"], "total": start["total_parameters"],
        "active": start["active_parameters"], "flops_per_token": start["flops_per_token"], "tokens": tokens,
        "epochs": round(tokens / start["train_tokens"], 4), "steps": updates[-1]["step"],
        "step_seconds": round(sequences(budget) * SEQUENCE / statistics.quantiles((line["tokens_per_second"] for line in updates), n=10)[-1], 6),
        "skipped": sum(bool(line.get("skipped")) for line in updates),
    }


def settings(folder, budget, kind, hidden, layers, learning_rate):
    config = model(kind, hidden, layers)
    path = f"{folder}/models/{kind}-{hidden}.json"
    os.makedirs(f"{folder}/models", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)
    count = steps(budget, config)
    return config, {
        "model": path, "data.tokenizer": f"{folder}/data/tokenizer.json", "training.num_steps": count,
        "training.sequences_per_micro_batch": sequences(budget), "schedule.learning_rate": f"{learning_rate:.6g}",
        "schedule.warmup_steps": count // 20, "router.warmup_steps": count // 20 if kind == "moe" else 0,
    }


def do(folder, budget, kind, hidden, layers, learning_rate, seed):
    """Runs, or goes on with, one of the study; what it says of itself."""
    run = name(budget, kind, hidden, learning_rate, seed)
    runs = f"{folder}/runs"
    to = f"{runs}/{run}"
    if not os.path.exists(f"{to}/data"):
        # The same packed data for all: links to it, where the run would look for its own.
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(f"{folder}/data", f"{to}/data.part", copy_function=os.link)
        os.rename(f"{to}/data.part", f"{to}/data")
    config, values = settings(folder, budget, kind, hidden, layers, learning_rate)
    subprocess.run(
        ["./lingotto", "pretrain", "studies/lever/recipe.json", "--run", to, "--data", f"{folder}/english", "--threads", "1", "--quiet",
         "--seed", str(seed), *(word for key, value in values.items() for word in ("--set", f"{key}={value}"))],
        check=True, stdout=subprocess.DEVNULL)
    return measured(runs, run, budget, config)


class Streams:
    """Does what is to do, several runs at a time; each takes the first that no other has."""

    def __init__(self, folder, budgets):
        self.folder, self.budgets, self.results = folder, budgets, Results(f"{folder}/results.jsonl")
        self.running, self.failure, self.change = [], None, threading.Condition()

    def next(self):
        """The run to do next; None when there is nothing more. What runs now may decide what comes next, so it may have to wait."""
        with self.change:
            while self.failure is None:
                run = next((run for run in to_do(self.results, self.budgets) if run not in self.running), None)
                if run is not None or not self.running:
                    self.running += [run] if run else []
                    return run
                self.change.wait()
        return None

    def work(self):
        while (run := self.next()) is not None:
            try:
                record = do(self.folder, *run)
                with self.change:
                    self.results.add(record)
                shutil.rmtree(f"{self.folder}/runs/{record['run']}/checkpoints")
                print(f"{record['run']}: {record['loss']} nats, {record['steps'] * record['step_seconds']:.0f} s", flush=True)
            except Exception as error:  # Whatever it is, the other streams hear of it and end.
                self.failure = f"{name(*run[:3], *run[4:])}: {error!r}"
            finally:
                with self.change:
                    self.running.remove(run)
                    self.change.notify_all()


def main(folder, budget):
    streams = Streams(folder, up_to(budget))
    threads = [threading.Thread(target=streams.work) for _ in range(int(os.environ.get("STREAMS", "2")))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if streams.failure is not None:
        sys.exit(f"study.py: {streams.failure}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
