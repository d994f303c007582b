"""Makes test/golden/models.json and resnet.json with PyTorch in float64: loss, logits and gradients of whole networks on made-up
weights.

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


def step(p, config, network, scale):
    """Loss, the first logits, and what is told of each gradient."""
    x = pattern((config["batch"], 3, config["side"], config["side"]), 100) * scale
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
    return {"loss": loss.item(), "logits": logits.flatten()[:20].tolist(), "gradients": rows}


def golden(name, network, config, padding, groups):
    p = parameters(config["channels"], config["hidden"], config["classes"], config["side"] + 2 * padding, groups)
    return {"name": name, "config": config, **step(p, config, network, 256)}


def residual_parameters(channels, blocks, classes):
    shapes = {}

    def convolution(place, i, inputs, outputs):
        shapes[f"{place}conv{i}/w"] = (outputs, inputs, 3, 3)
        shapes[f"{place}batchNorm{i}/scale"] = shapes[f"{place}batchNorm{i}/shift"] = (outputs,)

    convolution("", 1, 3, channels[0])
    last = channels[0]
    for stage, width in enumerate(channels, 1):
        for block in range(1, blocks + 1):
            convolution(f"stage{stage}-block{block}/", 1, last, width)
            convolution(f"stage{stage}-block{block}/", 2, width, width)
            last = width
    shapes["linear1/w"], shapes["linear1/b"] = (classes, last), (classes,)
    made = {}
    for seed, (name, shape) in enumerate(shapes.items(), 1):
        made[name] = weight(shape, seed) if name.endswith("w") else (pattern(shape, seed) + name.endswith("scale")).requires_grad_()
    return made


def residual(statistics, training):
    """Of He et al. 2015, 4.2, with shortcuts of option A; fills or reads the running statistics."""
    def normalised(p, path, x):
        own = statistics.setdefault(path, (torch.zeros(x.shape[1]), torch.ones(x.shape[1])))
        return F.batch_norm(x, *own, p[path + "/scale"], p[path + "/shift"], training=training)

    def network(p, x):
        x = F.relu(normalised(p, "batchNorm1", F.conv2d(x, p["conv1/w"], padding=1)))
        for block in dict.fromkeys(name.split("/")[0] for name in p if name.startswith("stage")):
            first, second = p[block + "/conv1/w"], p[block + "/conv2/w"]
            stride = 2 if block.endswith("block1") and not block.startswith("stage1") else 1
            y = F.relu(normalised(p, block + "/batchNorm1", F.conv2d(x, first, stride=stride, padding=1)))
            y = normalised(p, block + "/batchNorm2", F.conv2d(y, second, padding=1))
            shortcut = F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, 0, len(first) - x.shape[1]))
            x = F.relu(y + shortcut)
        return F.linear(x.mean([2, 3]), p["linear1/w"], p["linear1/b"])

    return network


def residual_golden(config):
    """One step in training, and what the network gives after it by its running statistics."""
    p, statistics = residual_parameters(config["channels"], config["blocks"], config["classes"]), {}
    trained = step(p, config, residual(statistics, True), 4)
    return {"name": "resnet-cifar", "config": config, **trained, "evaluated": step(p, config, residual(statistics, False), 4)["logits"]}


SMALL = {"channels": [8, 8, 12, 8, 8], "hidden": [16, 12], "classes": 10, "side": 67, "batch": 2}
FULL_GROUPED = {"channels": [96, 256, 384, 384, 256], "hidden": [4096, 4096], "classes": 1000, "side": 227, "batch": 2}
FULL_TOWER = {"channels": [64, 192, 384, 256, 256], "hidden": [4096, 4096], "classes": 1000, "side": 224, "batch": 2}
SMALL_RESIDUAL = {"channels": [8, 16, 24], "blocks": 1, "classes": 10, "side": 12, "batch": 4}
FULL_RESIDUAL = {"channels": [16, 32, 64], "blocks": 3, "classes": 10, "side": 32, "batch": 4}

if __name__ == "__main__":
    two, one = [1, 2, 1, 2, 2], [1, 1, 1, 1, 1]
    made = [
        golden("alexnet", grouped, SMALL, 0, two),
        golden("alexnet", grouped, FULL_GROUPED, 0, two),
        golden("alexnet-one-tower", one_tower, SMALL, 2, one),
        golden("alexnet-one-tower", one_tower, FULL_TOWER, 2, one),
    ]
    (FOLDER / "models.json").write_text(json.dumps(made, indent=1) + "\n")
    deep = [residual_golden(SMALL_RESIDUAL), residual_golden(FULL_RESIDUAL)]
    (FOLDER / "resnet.json").write_text(json.dumps(deep, indent=1) + "\n")
    for row in made + deep:
        print(row["name"], row["loss"], row["logits"][:3], {k: v["norm"] for k, v in row["gradients"].items()})
