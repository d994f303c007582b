"""Makes test/golden/words.json with PyTorch in float64: loss, logits and gradients of Penn Treebank's network of two LSTM
layers on made-up words and weights, as in make_models.py: of each gradient its norm, its product with another pattern, and
its first elements. Run with PyTorch >= 2.0 and NumPy.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

from make_models import pattern

torch.set_default_dtype(torch.float64)
FOLDER = pathlib.Path(__file__).parent


def layer(x, w, u, b):
    """torch.nn.LSTM's own loop, from a state of zeros; the second bias is zero."""
    zero = torch.zeros(1, x.shape[1], u.shape[0])
    y, _, _ = torch.lstm(x, (zero, zero), [w, u.T.contiguous(), b, torch.zeros_like(b)], True, 1, 0.0, False, False, False)
    return y


def golden(config):
    units, vocabulary, steps, streams = (config[k] for k in ("units", "vocabulary", "steps", "streams"))
    shapes = {"embedding1/w": (vocabulary, units)}
    for i in (1, 2):
        shapes |= {f"lstm{i}/w": (4 * units, units), f"lstm{i}/u": (units, 4 * units), f"lstm{i}/b": (4 * units,)}
    shapes |= {"linear1/w": (vocabulary, units), "linear1/b": (vocabulary,)}
    p = {path: (pattern(shape, i) * config["width"]).requires_grad_() for i, (path, shape) in enumerate(shapes.items(), 1)}
    place = torch.arange(steps * streams).reshape(steps, streams)
    words, target = place * 7 % vocabulary, place * 11 % vocabulary
    x = F.embedding(words, p["embedding1/w"])
    for i in (1, 2):
        x = layer(x, p[f"lstm{i}/w"], p[f"lstm{i}/u"], p[f"lstm{i}/b"])
    logits = F.linear(x, p["linear1/w"], p["linear1/b"])
    # Summed over time, the mean over streams.
    loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="sum") / streams
    gradients = torch.autograd.grad(loss, list(p.values()))
    rows = {
        path: {
            "norm": g.norm().item(),
            "along": (g * pattern(tuple(g.shape), 1000 + i)).sum().item(),
            "first": g.flatten()[:4].tolist(),
        }
        for i, (path, g) in enumerate(zip(p, gradients))
    }
    return {"config": config, "loss": loss.item(), "logits": logits.flatten()[:20].tolist(), "gradients": rows}


SMALL = {"units": 8, "vocabulary": 50, "steps": 5, "streams": 3, "width": 1.0}
# As published: weights and biases uniform in +-0.1.
FULL = {"units": 200, "vocabulary": 10000, "steps": 20, "streams": 20, "width": 0.2}

if __name__ == "__main__":
    made = [golden(SMALL), golden(FULL)]
    (FOLDER / "words.json").write_text(json.dumps(made, indent=1) + "\n")
    for row in made:
        print(row["loss"], row["logits"][:3], {k: v["norm"] for k, v in row["gradients"].items()})
