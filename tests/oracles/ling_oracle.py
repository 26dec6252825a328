"""Oracle: the loss, the logits and every gradient of a Bailing (Ling) model, by plain PyTorch and autograd.

usage: ling_oracle.py config.json weights.safetensors batch.json out.safetensors [float32|float64]

It follows the published forward pass of BailingMoeForCausalLM and BailingMoeV2ForCausalLM, one token, one head and one
expert at a time where that is the plainest way to say it, and shares nothing with the code it checks.

batch.json: ids, targets (-100: not predicted) and document_starts (within the sequence), each of sequences *
sequence_length numbers, and the coefficients balance_loss, z_loss and mtp_loss.

    loss         = cross_entropy + balance_loss * balance + z_loss * z + mtp_loss * mtp
    mtp          = cross entropy of the token after next where both it and the next one are of the same document, summed and
                   divided by the number of targets; 0 unless num_nextn_predict_layers is 1
    balance      = mean over MoE layers of E * sum_e f_e P_e: f_e the share of choices that fell on e (a constant), P_e the
                   mean over tokens of the score, normalised to sum 1 over experts
    z            = mean over MoE layers and tokens of logsumexp(router logits)^2

out.safetensors (F64): logits [T, V]; loss.cross_entropy, loss.balance, loss.z, loss.mtp (unweighted); gradient.NAME for each weight.
Needs PyTorch 1.13 or later and numpy, nothing else.
"""
import json
import math
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

NUMPY_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}


def read_safetensors(path):
    """name -> numpy array."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        arrays[name] = np.frombuffer(data[begin:end], NUMPY_TYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def write_safetensors(path, arrays):
    header, offset = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F64", "shape": list(array.shape), "data_offsets": [offset, offset + 8 * array.size]}
        offset += 8 * array.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array, "<f8").tobytes())


class Ling:
    def __init__(self, config, weights):
        self.config, self.weights = config, weights
        self.is_v2 = config["architectures"][0] == "BailingMoeV2ForCausalLM"
        self.heads = config["num_attention_heads"]
        self.kv_heads = config.get("num_key_value_heads") or self.heads
        self.head_dim = config.get("head_dim") or config["hidden_size"] // self.heads
        self.eps = config["rms_norm_eps"]
        self.balance, self.z = [], []

    def forward(self, ids, positions, visible):
        h = self.weights["model.word_embeddings.weight"][ids]
        for i in range(self.config["num_hidden_layers"]):
            h = self.layer(i, h, positions, visible)
        self.output = self.norm(h, "model.norm.weight")
        return self.output @ self.head().T

    def layer(self, i, h, positions, visible):
        layer = f"model.layers.{i}."
        h = h + self.attention(self.norm(h, layer + "input_layernorm.weight"), layer + "attention.", positions, visible)
        x = self.norm(h, layer + "post_attention_layernorm.weight")
        dense = i < self.config.get("first_k_dense_replace", 0)
        return h + (self.mlp(x, layer + "mlp.") if dense else self.experts(x, layer + "mlp."))

    def token_after_next(self, next_ids, positions, visible):
        """Logits of the multi-token-prediction layer, which stands behind the others; after forward."""
        i = self.config["num_hidden_layers"]
        prefix = f"model.layers.{i}."
        e = self.norm(self.weights["model.word_embeddings.weight"][next_ids], prefix + "enorm.weight")
        g = self.norm(self.output, prefix + "hnorm.weight")
        x = torch.cat([e, g], dim=-1) @ self.weights[prefix + "eh_proj.weight"].T
        return self.norm(self.layer(i, x, positions, visible), prefix + "final_layernorm.weight") @ self.head().T

    def head(self):
        w = self.weights["lm_head.weight"]
        if not self.config.get("norm_head", False):
            return w
        # One norm for each hidden channel, over the vocabulary, and no gradient through it.
        return w / (w.norm(p=2, dim=0, keepdim=True) + 1e-7).detach()

    def norm(self, x, name):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + self.eps) * self.weights[name]

    def attention(self, x, prefix, positions, visible):
        a, g, c = self.heads, self.kv_heads, self.head_dim
        q, k, v = (x @ self.weights[prefix + "query_key_value.weight"].T).split([a * c, g * c, g * c], dim=-1)
        q, k, v = q.view(-1, a, c), k.view(-1, g, c), v.view(-1, g, c)
        if self.config.get("use_qk_norm", False):
            q = self.norm(q, prefix + "query_layernorm.weight")
            k = self.norm(k, prefix + "key_layernorm.weight")
        q, k = self.rotate(q, positions), self.rotate(k, positions)
        heads = []
        for head in range(a):
            group = head // (a // g)
            scores = q[:, head] @ k[:, group].T / math.sqrt(c)
            heads.append(F.softmax(scores.masked_fill(~visible, -math.inf), dim=-1) @ v[:, group])
        return torch.cat(heads, dim=-1) @ self.weights[prefix + "dense.weight"].T

    def rotary_dim(self):
        if self.config.get("rotary_dim"):
            return self.config["rotary_dim"]
        return int(self.head_dim * self.config.get("partial_rotary_factor", 1.0))

    def rotate(self, x, positions):
        """The first R channels turn, channel i with channel i + R/2."""
        r = self.rotary_dim()
        frequency = self.config["rope_theta"] ** (-torch.arange(0, r, 2, dtype=torch.float64) / r)
        angle = torch.outer(positions.double(), frequency)
        cos, sin = angle.cos().to(x.dtype)[:, None], angle.sin().to(x.dtype)[:, None]
        first, second, rest = x[..., : r // 2], x[..., r // 2 : r], x[..., r:]
        return torch.cat([first * cos - second * sin, second * cos + first * sin, rest], dim=-1)

    def mlp(self, x, prefix):
        gate, up, down = (self.weights[f"{prefix}{part}_proj.weight"] for part in ("gate", "up", "down"))
        return (F.silu(x @ gate.T) * (x @ up.T)) @ down.T

    def experts(self, x, prefix):
        logits = x @ self.weights[prefix + "gate.weight"].T
        chosen, weights = self.route(logits, prefix)
        rows = []
        for t in range(len(x)):
            row = sum(weights[t, j] * self.mlp(x[t], f"{prefix}experts.{e}.") for j, e in enumerate(chosen[t].tolist()))
            rows.append(row)
        y = torch.stack(rows)
        return y + self.mlp(x, prefix + "shared_experts.") if self.config.get("num_shared_experts") else y

    def route(self, logits, prefix):
        config, top_k, experts = self.config, self.config["num_experts_per_tok"], self.config["num_experts"]
        scores = torch.sigmoid(logits) if self.is_v2 else F.softmax(logits, dim=-1)
        chosen = self.choose_v2(scores.detach(), prefix) if self.is_v2 else scores.topk(top_k, dim=-1).indices
        weights = scores.gather(-1, chosen)
        if top_k > 1 and (self.is_v2 or config.get("norm_topk_prob", True)):
            weights = weights / (weights.sum(-1, keepdim=True) + (1e-20 if self.is_v2 else 0))
        if self.is_v2:
            weights = weights * config.get("routed_scaling_factor", 2.5)

        share = torch.bincount(chosen.flatten(), minlength=experts).to(scores.dtype) / chosen.numel()
        mean_score = (scores / scores.sum(-1, keepdim=True)).mean(0)
        self.balance.append(experts * (share * mean_score).sum())
        self.z.append((torch.logsumexp(logits, dim=-1) ** 2).mean())
        return chosen, weights

    def choose_v2(self, scores, prefix):
        """Top-k of the biased scores, within the groups whose best two biased scores have the largest sum."""
        groups, kept = self.config.get("n_group", 8), self.config.get("topk_group", 4)
        selection = scores + self.weights[prefix + "gate.expert_bias"].detach()
        grouped = selection.view(len(scores), groups, -1)
        best = grouped.topk(2, dim=-1).values.sum(-1).topk(kept, dim=-1).indices
        allowed = torch.zeros(len(scores), groups, dtype=torch.bool).scatter(1, best, True)
        masked = grouped.masked_fill(~allowed[:, :, None], -math.inf).flatten(1)
        return masked.topk(self.config["num_experts_per_tok"], dim=-1).indices


def mean(values, like):
    return torch.stack(values).mean() if values else like.new_zeros(())


def main(config_path, weights_path, batch_path, out_path, precision="float64"):
    dtype = {"float32": torch.float32, "float64": torch.float64}[precision]
    torch.set_num_threads(1)
    with open(config_path) as file:
        config = json.load(file)
    with open(batch_path) as file:
        batch = json.load(file)
    weights = {name: torch.tensor(array, dtype=dtype) for name, array in read_safetensors(weights_path).items()}
    trained = {name: w.requires_grad_() for name, w in weights.items() if not name.endswith("expert_bias")}

    rows = torch.arange(len(batch["ids"]))
    sequence = rows // batch["sequence_length"]
    starts = sequence * batch["sequence_length"] + torch.tensor(batch["document_starts"])
    visible = (rows[None, :] <= rows[:, None]) & (rows[None, :] >= starts[:, None])

    model = Ling(config, weights)
    logits = model.forward(torch.tensor(batch["ids"]), rows - starts, visible)
    cross_entropy = F.cross_entropy(logits, torch.tensor(batch["targets"]), ignore_index=-100)
    mtp = logits.new_zeros(())
    if config.get("num_nextn_predict_layers"):
        targets, document = torch.tensor(batch["targets"]), starts
        after = torch.full_like(targets, -100)
        inside = (document[1:] == document[:-1]) & (targets[:-1] != -100)
        after[:-1] = torch.where(inside, targets[1:], after[:-1])
        later = model.token_after_next(targets.clamp(min=0), rows - starts, visible)
        mtp = F.cross_entropy(later, after, ignore_index=-100, reduction="sum") / (targets != -100).sum()
    balance, z = mean(model.balance, logits), mean(model.z, logits)
    (cross_entropy + batch["balance_loss"] * balance + batch["z_loss"] * z + batch["mtp_loss"] * mtp).backward()

    out = {"logits": logits, "loss.cross_entropy": cross_entropy, "loss.balance": balance, "loss.z": z, "loss.mtp": mtp}
    # A weight that no token reached has no gradient in PyTorch: zero.
    out.update({"gradient." + name: torch.zeros_like(w) if w.grad is None else w.grad for name, w in trained.items()})
    write_safetensors(out_path, {name: value.detach().double().numpy() for name, value in out.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
