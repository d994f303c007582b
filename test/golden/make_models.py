"""Makes test/golden/models.json with PyTorch in float64: loss, logits and gradients of whole networks on made-up weights.

Weights and images follow from their position by whole-number arithmetic, so that only results are stored: of each gradient
its norm, its product with another such pattern, and its first elements. Run with PyTorch >= 2.0 and NumPy.
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
FOLDER = pathlib.Path(__file__).parent


def pattern(shape, seed):
    """Numbers in [-1/2, 1/2) in no visible order: the same as `pattern` of test/support/pattern.ts."""
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    h = ((i % 1009) * (i % 1013) + (i % 509) * 31 + seed * 7919) % 2003
    return torch.from_numpy((h / 2003 - 0.5).reshape(shape))


def weight(shape, seed, gain=1.0):
    """Of He's variance, 2 / fan-in, where uniform numbers of width 1 have 1 / 12."""
    return (pattern(shape, seed) * gain * (24 / np.prod(shape[1:])) ** 0.5).requires_grad_()


def grouped(p, x):
    """Caffe's bvlc_alexnet."""
    def conv(name, x, **options):
        return F.relu(F.conv2d(x, p[name + "/w"], p[name + "/b"], **options))

    def norm(x):
        return F.max_pool2d(F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1.0), 3, 2)

    x = norm(conv("conv1", x, stride=4))
    x = norm(conv("conv2", x, padding=2, groups=2))
    x = conv("conv4", conv("conv3", x, padding=1), padding=1, groups=2)
    return dense(p, F.max_pool2d(conv("conv5", x, padding=1, groups=2), 3, 2))


def one_tower(p, x):
    """The network of "One weird trick" without normalisation, as torchvision has it."""
    def conv(name, x, **options):
        return F.relu(F.conv2d(x, p[name + "/w"], p[name + "/b"], **options))

    x = F.max_pool2d(conv("conv1", x, stride=4, padding=2), 3, 2)
    x = F.max_pool2d(conv("conv2", x, padding=2), 3, 2)
    x = conv("conv5", conv("conv4", conv("conv3", x, padding=1), padding=1), padding=1)
    return dense(p, F.max_pool2d(x, 3, 2))


def dense(p, x):
    x = x.flatten(1)
    x = F.relu(F.linear(x, p["fc6/w"], p["fc6/b"]))
    x = F.relu(F.linear(x, p["fc7/w"], p["fc7/b"]))
    return F.linear(x, p["fc8/w"], p["fc8/b"])


def parameters(channels, hidden, classes, side, groups):
    kernels = [11, 5, 3, 3, 3]
    inputs = [3, *channels[:-1]]
    shapes = {}
    for i, (o, c, k, g) in enumerate(zip(channels, inputs, kernels, groups), 1):
        shapes[f"conv{i}/w"], shapes[f"conv{i}/b"] = (o, c // g, k, k), (o,)
    extent = (side - 11) // 4 + 1
    for _ in range(3):
        extent = (extent - 3) // 2 + 1
    widths = [channels[4] * extent**2, *hidden, classes]
    for i in range(3):
        shapes[f"fc{i + 6}/w"], shapes[f"fc{i + 6}/b"] = (widths[i + 1], widths[i]), (widths[i + 1],)
    made = {}
    for seed, (name, shape) in enumerate(shapes.items(), 1):
        # Images of the size of real ones reach the normalisation; the last layer is small, so that the loss is not flat.
        gain = 0.01 if name == "fc8/w" else 1.0
        made[name] = weight(shape, seed, gain) if name.endswith("w") else pattern(shape, seed).requires_grad_()
    return made


def golden(name, network, config, padding, groups):
    p = parameters(config["channels"], config["hidden"], config["classes"], config["side"] + 2 * padding, groups)
    x = pattern((config["batch"], 3, config["side"], config["side"]), 100) * 256
    target = torch.arange(config["batch"]) * 7 % config["classes"]
    logits = network(p, x)
    loss = F.cross_entropy(logits, target)
    gradients = torch.autograd.grad(loss, list(p.values()))
    rows = {
        path: {
            "norm": g.norm().item(),
            "along": (g * pattern(tuple(g.shape), 1000 + i)).sum().item(),
            "first": g.flatten()[:4].tolist(),
        }
        for i, (path, g) in enumerate(zip(p, gradients))
    }
    return {"name": name, "config": config, "loss": loss.item(), "logits": logits.flatten()[:20].tolist(), "gradients": rows}


SMALL = {"channels": [8, 8, 12, 8, 8], "hidden": [16, 12], "classes": 10, "side": 67, "batch": 2}
FULL_GROUPED = {"channels": [96, 256, 384, 384, 256], "hidden": [4096, 4096], "classes": 1000, "side": 227, "batch": 2}
FULL_TOWER = {"channels": [64, 192, 384, 256, 256], "hidden": [4096, 4096], "classes": 1000, "side": 224, "batch": 2}

if __name__ == "__main__":
    two, one = [1, 2, 1, 2, 2], [1, 1, 1, 1, 1]
    made = [
        golden("alexnet", grouped, SMALL, 0, two),
        golden("alexnet", grouped, FULL_GROUPED, 0, two),
        golden("alexnet-one-tower", one_tower, SMALL, 2, one),
        golden("alexnet-one-tower", one_tower, FULL_TOWER, 2, one),
    ]
    (FOLDER / "models.json").write_text(json.dumps(made, indent=1) + "\n")
    for row in made:
        print(row["name"], row["loss"], row["logits"][:3], {k: v["norm"] for k, v in row["gradients"].items()})
