"""Makes test/golden/house-numbers.json with PyTorch in float64: loss, logits and gradients of the networks that read house numbers, shrunken, on
made-up weights and images, as in make_models.py: of each gradient its norm, its product with another pattern, and its first elements. A step in
training, without dropout. Run with PyTorch >= 2.0 and NumPy.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

from make_models import pattern, weight

torch.set_default_dtype(torch.float64)
FOLDER = pathlib.Path(__file__).parent
LENGTHS = [0, 3, 5, 6]


def around(x):
    """Less the mean of 3 x 3, of what lies inside: the sums of a convolution of ones over their counts."""
    ones = torch.ones(x.shape[1], 1, 3, 3)
    total = F.conv2d(x, ones, padding=1, groups=x.shape[1])
    count = F.conv2d(torch.ones_like(x), ones, padding=1, groups=x.shape[1])
    return x - total / count


def shapes_of(config):
    k, batch = config["kernel"], config["normalise"] == "batch"
    shapes, channels, size, conv = {}, 3, config["side"], 0
    for i, (units, stride) in enumerate(zip(config["units"], config["pools"])):
        many = i == 0 and config["pieces"] > 1
        conv += not many
        name = "maxout1/pieces" if many else f"conv{conv}"
        width = units * config["pieces"] if many else units
        shapes[f"{name}/w"] = (width, channels, k, k)
        if batch:
            shapes[f"batchNorm{i + 1}/scale"] = shapes[f"batchNorm{i + 1}/shift"] = (units,)
        else:
            shapes[f"{name}/b"] = (width,)
        channels, size = units, -(-size // 2) if stride == 2 else size
    if config["local"]:
        shapes["local1/w"] = (size, size, config["local"], channels * k * k)
        shapes["local1/b"] = (config["local"], size, size)
        channels = config["local"]
    features = channels * size * size
    for i, units in enumerate([*config["hidden"], 57], 1):
        name = "heads" if units == 57 else f"linear{i}"
        shapes[f"{name}/w"], shapes[f"{name}/b"] = (units, features), (units,)
        features = units
    return shapes


def network(config, p, x):
    x = x - x.mean([1, 2, 3], keepdim=True)
    if config["images"] == "standardised":
        x = x / torch.sqrt((x * x).mean([1, 2, 3], keepdim=True) + 1e-4)
    half, conv = config["kernel"] // 2, 0
    for i, stride in enumerate(config["pools"]):
        many = i == 0 and config["pieces"] > 1
        conv += not many
        name = "maxout1/pieces" if many else f"conv{conv}"
        x = F.conv2d(x, p[name + "/w"], p.get(name + "/b"), padding=half)
        if many:
            x = x.unflatten(1, (-1, config["pieces"])).amax(2)
        if config["normalise"] == "batch":
            x = F.batch_norm(x, None, None, p[f"batchNorm{i + 1}/scale"], p[f"batchNorm{i + 1}/shift"], training=True)
        if not many:
            x = F.relu(x)
        if stride == 2:
            x = F.max_pool2d(x, 2, 2, ceil_mode=True)
        elif stride == 1:
            x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 2, 1)
        if config["normalise"] == "subtractive":
            x = around(x)
    if config["local"]:
        n, _, h, w = x.shape
        windows = F.unfold(x, config["kernel"], padding=half).view(n, -1, h, w)
        x = F.relu(torch.einsum("nfhw,hwof->nohw", windows, p["local1/w"]) + p["local1/b"])
    x = x.flatten(1)
    for i in range(1, len(config["hidden"]) + 1):
        x = F.relu(F.linear(x, p[f"linear{i}/w"], p[f"linear{i}/b"]))
    return F.linear(x, p["heads/w"], p["heads/b"])


def loss_of(logits):
    """-log p of the length, and of the digits that are there."""
    total = 0
    for row, length in enumerate(LENGTHS):
        total = total - F.log_softmax(logits[row, :7], 0)[length]
        for digit in range(length if length <= 5 else 0):
            choice = F.log_softmax(logits[row, 7 + 10 * digit : 17 + 10 * digit], 0)
            total = total - choice[(row * 7 + digit * 3) % 10]
    return total / len(LENGTHS)


def golden(name, config):
    p = {}
    for seed, (path, shape) in enumerate(shapes_of(config).items(), 1):
        # Small biases, so that a rectifier lets some places of each map through and not others.
        made = weight(shape, seed).detach() if path.endswith("/w") else pattern(shape, seed) * (0.1 if path.endswith("/b") else 1)
        p[path] = (made + path.endswith("scale")).requires_grad_()
    x = pattern((len(LENGTHS), 3, config["side"], config["side"]), 100) + 0.5
    logits = network(config, p, x)
    loss = loss_of(logits)
    gradients = torch.autograd.grad(loss, list(p.values()))
    rows = {
        path: {
            "norm": g.norm().item(),
            "along": (g * pattern(tuple(g.shape), 1000 + i)).sum().item(),
            "first": g.flatten()[:4].tolist(),
        }
        for i, (path, g) in enumerate(zip(p, gradients))
    }
    return {"name": name, "config": config, "loss": loss.item(), "logits": logits.flatten().tolist(), "gradients": rows}


STREET = {
    "side": 13, "images": "centred", "units": [4, 5, 6, 6], "kernel": 5, "pieces": 3, "pools": [2, 1, 2, 1],
    "normalise": "subtractive", "local": 5, "hidden": [12, 10], "dropout": [0, 0],
}
SMALL = {
    "side": 13, "images": "standardised", "units": [4, 5, 6], "kernel": 3, "pieces": 1, "pools": [2, 0, 2],
    "normalise": "batch", "local": 0, "hidden": [12], "dropout": [0, 0],
}

if __name__ == "__main__":
    made = [golden("street", STREET), golden("small", SMALL)]
    (FOLDER / "house-numbers.json").write_text(json.dumps(made, indent=1) + "\n")
    for row in made:
        print(row["name"], row["loss"], {k: v["norm"] for k, v in row["gradients"].items()})
