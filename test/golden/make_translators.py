"""Makes test/golden/translators.json with PyTorch in float64: loss, logits and gradients of the translators of lib/models on made-up
words and weights, one sentence after the other, without padding. As in make_models.py, of each gradient its norm, its product with
another pattern, and its first elements. Run with PyTorch >= 2.0 and NumPy.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

from make_models import pattern

torch.set_default_dtype(torch.float64)
FOLDER = pathlib.Path(__file__).parent
SOURCE_LENGTHS = (1, 3, 40, 7, 12)
TARGET_LENGTHS = (40, 2, 1, 9, 5)
COMMON = {"source": 11, "target": 9}


def words(length, row, vocabulary, seed):
    """Never 0, which is padding."""
    return torch.tensor([1 + (7 * t + 3 * row + t * t + seed) % (vocabulary - 1) for t in range(length)])


def linear(x, p, name):
    return F.linear(x, p[f"{name}/w"], p.get(f"{name}/b"))


def lstm(x, start, p, name):
    """[T, D] -> all states h [T, H], and the last (h, c)."""
    u, b = p[f"{name}/u"].T.contiguous(), p[f"{name}/b"]
    h, c = (one[None, None] for one in start)
    weights = [p[f"{name}/w"], u, b, torch.zeros_like(b)]
    y, h, c = torch.lstm(x[:, None], (h, c), weights, True, 1, 0.0, False, False, False)
    return y[:, 0], (h[0, 0], c[0, 0])


def gru(x, start, p, name):
    weights = [p[f"{name}/w"], p[f"{name}/u"].T.contiguous(), p[f"{name}/b"], p[f"{name}/br"]]
    y, _ = torch.gru(x[:, None], start[None, None], weights, True, 1, 0.0, False, False, False)
    return y[:, 0]


def lstm_translator(p, config, source, before):
    zero = torch.zeros(config["units"])
    x, states = p["source/w"][source.flip(0) if config["reversed"] else source], []
    for i in range(config["layers"]):
        x, last = lstm(x, (zero, zero), p, f"reader{i + 1}")
        states.append(last)
    y = p["target/w"][before]
    for i, start in enumerate(states):
        y, _ = lstm(y, start, p, f"writer{i + 1}")
    return linear(y, p, "words")


def lstm_shapes(config):
    units, embedding = config["units"], config["embedding"]
    shapes = {"source/w": (config["source"], embedding), "target/w": (config["target"], embedding)}
    for i in range(config["layers"]):
        for side in ("reader", "writer"):
            name, inputs = f"{side}{i + 1}", embedding if i == 0 else units
            shapes |= {f"{name}/w": (4 * units, inputs), f"{name}/u": (units, 4 * units), f"{name}/b": (4 * units,)}
    return shapes | {"words/w": (config["target"], units), "words/b": (config["target"],)}


def attention_translator(p, config, source, before):
    additive, units = config["attention"] == "additive", config["units"]
    x, zero = p["source/w"][source], torch.zeros(units)
    backward = gru(x.flip(0), zero, p, "reader/backward").flip(0)
    annotations = torch.cat([gru(x, zero, p, "reader/forward"), backward], -1)
    keys = linear(annotations, p, "keys")
    h = torch.tanh(linear(annotations.mean(0), p, "first"))
    fed = torch.zeros(units)

    def look(state):
        if additive:
            scores = linear(torch.tanh(keys + linear(state, p, "query")), p, "score")[:, 0]
        else:
            scores = keys @ state
        return torch.softmax(scores, 0) @ annotations

    logits = []
    for word in before:
        y = p["target/w"][word]
        if additive:
            context = look(h)
            h = gru(torch.cat([y, context])[None], h, p, "writer")[0]
            made = torch.tanh(linear(torch.cat([y, h, context]), p, "joined"))
        else:
            h = gru(torch.cat([y, fed])[None], h, p, "writer")[0]
            fed = torch.tanh(linear(torch.cat([look(h), h]), p, "joined"))
            made = linear(fed, p, "narrow")
        logits.append(made @ p["target/w"].T + p["words/b"])
    return torch.stack(logits)


def attention_shapes(config):
    additive, units, embedding = config["attention"] == "additive", config["units"], config["embedding"]
    shapes = {"source/w": (config["source"], embedding), "target/w": (config["target"], embedding)}
    inputs = {"reader/forward": embedding, "reader/backward": embedding}
    inputs["writer"] = embedding + (2 * units if additive else units)
    for name, width in inputs.items():
        shapes |= {f"{name}/w": (3 * units, width), f"{name}/u": (units, 3 * units)}
        shapes |= {f"{name}/b": (3 * units,), f"{name}/br": (3 * units,)}
    shapes |= {"first/w": (units, 2 * units), "first/b": (units,), "keys/w": (units, 2 * units)}
    if additive:
        shapes |= {"keys/b": (units,), "query/w": (units, units), "score/w": (1, units)}
        shapes |= {"joined/w": (embedding, embedding + 3 * units), "joined/b": (embedding,)}
    else:
        shapes |= {"joined/w": (units, 3 * units), "joined/b": (units,), "narrow/w": (embedding, units)}
    return shapes | {"words/b": (config["target"],)}


def transformer_translator(p, config, source, before):
    features, heads = config["features"], config["heads"]

    def embed(table, index):
        half = features // 2
        angle = torch.arange(len(index))[:, None] / 10_000 ** (torch.arange(half) / half)
        return p[f"{table}/w"][index] * math.sqrt(features) + torch.cat([angle.sin(), angle.cos()], -1)

    def norm(x, name):
        return F.layer_norm(x, (features,), p[f"{name}/scale"], p[f"{name}/shift"])

    def attention(x, memory, name, causal=False):
        q, k, v = (linear(of, p, f"{name}-{part}") for of, part in ((x, "query"), (memory, "key"), (memory, "value")))
        split = lambda one: one.view(len(one), heads, -1).transpose(0, 1)
        made = F.scaled_dot_product_attention(split(q), split(k), split(v), is_causal=causal)
        return linear(made.transpose(0, 1).reshape(len(x), features), p, f"{name}-out")

    def feed(x, name):
        return linear(torch.relu(linear(x, p, f"{name}-wide")), p, f"{name}-narrow")

    x = embed("source", source)
    for i in range(config["layers"]):
        name = f"reader{i + 1}"
        before_it = norm(x, f"{name}-norm1")
        x = x + attention(before_it, before_it, name)
        x = x + feed(norm(x, f"{name}-norm2"), name)
    memory = norm(x, "reader-norm")
    y = embed("target", before)
    for i in range(config["layers"]):
        name = f"writer{i + 1}"
        before_it = norm(y, f"{name}-norm1")
        y = y + attention(before_it, before_it, name, causal=True)
        y = y + attention(norm(y, f"{name}-norm2"), memory, f"{name}-source")
        y = y + feed(norm(y, f"{name}-norm3"), name)
    return norm(y, "writer-norm") @ p["target/w"].T


def transformer_shapes(config):
    features, hidden = config["features"], config["hidden"]
    shapes = {"source/w": (config["source"], features), "target/w": (config["target"], features)}

    def norm(name):
        return {f"{name}/scale": (features,), f"{name}/shift": (features,)}

    def map_of(name, inputs, outputs):
        return {f"{name}/w": (outputs, inputs)} | ({} if name.endswith("-key") else {f"{name}/b": (outputs,)})

    for i in range(config["layers"]):
        for side, norms, attentions in (("reader", 2, ("",)), ("writer", 3, ("", "-source"))):
            name = f"{side}{i + 1}"
            for k in range(norms):
                shapes |= norm(f"{name}-norm{k + 1}")
            for other in attentions:
                for part in ("query", "key", "value", "out"):
                    shapes |= map_of(f"{name}{other}-{part}", features, features)
            shapes |= map_of(f"{name}-wide", features, hidden) | map_of(f"{name}-narrow", hidden, features)
    return shapes | norm("reader-norm") | norm("writer-norm")


def golden(name, network, shapes, config):
    config = COMMON | config
    paths = sorted(shapes(config))
    parameters = {
        path: (pattern(shapes(config)[path], i + 1) + (1 if path.endswith("/scale") else 0)).requires_grad_()
        for i, path in enumerate(paths)
    }
    total, count, logits = 0, 0, []
    for row, (s, t) in enumerate(zip(SOURCE_LENGTHS, TARGET_LENGTHS)):
        target = words(t, row, config["target"], 5)
        before = torch.cat([torch.tensor([1]), target[:-1]])
        made = network(parameters, config, words(s, row, config["source"], 2), before)
        total, count = total + F.cross_entropy(made, target, reduction="sum"), count + t
        logits += made[-1].tolist()
    loss = total / count
    loss.backward()
    gradients = {
        path: {
            "norm": p.grad.norm().item(),
            "along": (p.grad * pattern(p.shape, 1000 + i)).sum().item(),
            "first": p.grad.flatten()[:3].tolist(),
        }
        for i, (path, p) in enumerate(parameters.items())
    }
    return {"name": name, "config": config, "loss": loss.item(), "logits": logits, "gradients": gradients}


def main():
    recurrent = {"embedding": 6, "units": 5}
    cases = [
        golden("lstm", lstm_translator, lstm_shapes, recurrent | {"layers": 2, "reversed": True}),
        golden("lstm, read forwards", lstm_translator, lstm_shapes, recurrent | {"layers": 1, "reversed": False}),
        golden("additive", attention_translator, attention_shapes, recurrent | {"attention": "additive"}),
        golden("multiplicative", attention_translator, attention_shapes, recurrent | {"attention": "multiplicative"}),
        golden(
            *("transformer", transformer_translator, transformer_shapes),
            {"features": 8, "heads": 2, "hidden": 10, "layers": 2, "longest": 50},
        ),
    ]
    lines = ",\n".join(json.dumps(case) for case in cases)
    (FOLDER / "translators.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
