"""Makes test/golden/video/networks.json with PyTorch in float64: loss, logits and gradients of shrunken networks that predict frames, on
made-up frames and weights, as in make_models.py: of each gradient its norm, its product with another pattern, and its first elements.
Run with PyTorch >= 2.0 and NumPy: python test/golden/make_video.py
"""

import json
import pathlib
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from make_models import pattern

torch.set_default_dtype(torch.float64)
FILE = pathlib.Path(__file__).parent / "video" / "networks.json"


def gates(z, c, peephole, of):
    """One step from the sums of the gates; `of` gives a peephole the extents of a cell."""
    i, f, g, o = z.chunk(4, 1)
    if peephole is not None:
        pi, pf, po = (of(one) for one in peephole)
        i, f = i + pi * c, f + pf * c
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    if peephole is not None:
        o = o + po * c
    return torch.sigmoid(o) * torch.tanh(c), c


def conv_layer(p, path, x, start, steps):
    """Of frames, or of nothing but the states that it starts from."""
    u, b, peephole = p[f"{path}/u"], p[f"{path}/b"], p.get(f"{path}/p")
    padding = u.shape[-1] // 2
    outputs, (h, c) = [], start
    for t in range(steps):
        z = F.conv2d(h, u, b, padding=padding)
        if x is not None:
            z = z + F.conv2d(x[t], p[f"{path}/w"], padding=padding)
        h, c = gates(z, c, peephole, lambda one: one[None, :, None, None])
        outputs.append(h)
    return torch.stack(outputs), (h, c)


def conv_network(p, config, x):
    patch, layers, future = config["patch"], config["layers"], config["future"]
    x = torch.stack([F.pixel_unshuffle(frame, patch) for frame in x])
    states = []
    for i, channels in enumerate(layers, 1):
        zero = x.new_zeros(x.shape[1], channels, *x.shape[3:])
        x, last = conv_layer(p, f"reader{i}", x, (zero, zero), len(x))
        states.append(last)
    above, outputs = None, []
    for i, start in enumerate(reversed(states), 1):
        above, _ = conv_layer(p, f"writer{i}", above, start, future)
        outputs.append(above)
    logits = [F.conv2d(one, p["frame/w"], p["frame/b"]) for one in torch.cat(outputs, 2)]
    return torch.stack([F.pixel_shuffle(one, patch) for one in logits]), None


def conv_layer_shapes(shapes, config, path, inputs, outputs):
    k = config["kernel"]
    if inputs:
        shapes[f"{path}/w"] = (4 * outputs, inputs, k, k)
    shapes[f"{path}/u"], shapes[f"{path}/b"] = (4 * outputs, outputs, k, k), (4 * outputs,)
    if config["peepholes"]:
        shapes[f"{path}/p"] = (3, outputs)


def conv_shapes(config):
    pixels, layers = config["channels"] * config["patch"] ** 2, config["layers"]
    shapes, down = {}, layers[::-1]
    for i, outputs in enumerate(layers):
        conv_layer_shapes(shapes, config, f"reader{i + 1}", layers[i - 1] if i else pixels, outputs)
        conv_layer_shapes(shapes, config, f"writer{i + 1}", down[i - 1] if i else 0, down[i])
    shapes["frame/w"], shapes["frame/b"] = (pixels, sum(layers), 1, 1), (pixels,)
    return shapes


def next_network(p, config, x):
    """Each frame from those before it: logits of the frames that follow and of those that are seen, from the second on."""
    patch, layers, given = config["patch"], config["layers"], len(x)
    frame, logits, states = None, [], [None] * len(layers)
    for t in range(given + config["future"] - 1):
        y = F.pixel_unshuffle(x[t], patch) if t < given else torch.sigmoid(frame)
        outputs = []
        for i, channels in enumerate(layers):
            zero = y.new_zeros(y.shape[0], channels, *y.shape[2:])
            y, states[i] = conv_layer(p, f"layer{i + 1}", y[None], states[i] or (zero, zero), 1)
            y = y[0]
            outputs.append(y)
        frame = F.conv2d(torch.cat(outputs, 1), p["frame/w"], p["frame/b"])
        logits.append(F.pixel_shuffle(frame, patch))
    return torch.stack(logits[given - 1:]), torch.stack(logits[:given - 1])


def next_shapes(config):
    pixels, layers = config["channels"] * config["patch"] ** 2, config["layers"]
    shapes = {}
    for i, outputs in enumerate(layers):
        conv_layer_shapes(shapes, config, f"layer{i + 1}", layers[i - 1] if i else pixels, outputs)
    shapes["frame/w"], shapes["frame/b"] = (pixels, sum(layers), 1, 1), (pixels,)
    return shapes


def lstm_layer(p, path, x, start, steps):
    outputs, (h, c) = [], start
    for t in range(steps):
        z = h @ p[f"{path}/u"] + p[f"{path}/b"]
        if x is not None:
            z = z + x[t] @ p[f"{path}/w"].T
        h, c = gates(z, c, p[f"{path}/p"], lambda one: one[None])
        outputs.append(h)
    return torch.stack(outputs), (h, c)


def lstm_network(p, config, x, target):
    """In training: a conditional network is given the true frame before."""
    seen, after = x.flatten(2), target.flatten(2)
    zero = x.new_zeros(x.shape[1], config["units"])
    _, start = lstm_layer(p, "reader", seen, (zero, zero), len(seen))

    def written(path, truth):
        before = torch.cat([torch.zeros_like(truth[:1]), truth[:-1]]) if config["conditional"] else None
        h, _ = lstm_layer(p, path, before, start, len(truth))
        return F.linear(h, p[f"{path}Pixels/w"], p[f"{path}Pixels/b"])

    past = written("backward", seen.flip(0)).flip(0)
    return written("forward", after).view_as(target), past.view_as(x)


def lstm_shapes(config):
    units, pixels = config["units"], int(torch.tensor(config["frame"]).prod())
    shapes = {}
    for path in ("reader", "backward", "forward"):
        shapes[f"{path}/u"], shapes[f"{path}/b"], shapes[f"{path}/p"] = (units, 4 * units), (4 * units,), (3, units)
        if path == "reader" or config["conditional"]:
            shapes[f"{path}/w"] = (4 * units, pixels)
        if path != "reader":
            shapes[f"{path}Pixels/w"], shapes[f"{path}Pixels/b"] = (pixels, units), (pixels,)
    return shapes


def nats(logits, frames):
    """Cross-entropy of a frame, summed over its pixels."""
    return F.binary_cross_entropy_with_logits(logits, frames, reduction="sum") / (frames.shape[0] * frames.shape[1])


def golden(network, config, shapes, run):
    p = {path: pattern(shapes[path], i).requires_grad_() for i, path in enumerate(sorted(shapes), 1)}
    frame, rows = config.get("frame", [1, 8, 8]), 2
    x = pattern((4, rows, *frame), 100) + 0.5
    target = pattern((config["future"], rows, *frame), 101) + 0.5
    logits, other = run(p, x, target)
    # A network that writes again what it saw, or that predicts what it sees but for the first frame.
    loss = nats(logits, target) + (0 if other is None else nats(other, x[-len(other):]))
    gradients = torch.autograd.grad(loss, list(p.values()))
    rows = {
        path: {
            "norm": g.norm().item(),
            "along": (g * pattern(tuple(g.shape), 1000 + i)).sum().item(),
            "first": g.flatten()[:4].tolist(),
        }
        for i, (path, g) in enumerate(zip(p, gradients))
    }
    return {"network": network, "config": config, "loss": loss.item(), "logits": logits.flatten()[:20].tolist(), "gradients": rows}


def made():
    for peepholes in (True, False):
        own = {"future": 3, "channels": 1, "patch": 2, "layers": [5, 4, 3], "kernel": 3, "peepholes": peepholes}
        yield golden("convLstmForecaster", own, conv_shapes(own), lambda p, x, _, own=own: conv_network(p, own, x))
        yield golden("nextFrameConvLstm", own, next_shapes(own), lambda p, x, _, own=own: next_network(p, own, x))
    for conditional in (True, False):
        own = {"future": 3, "frame": [1, 4, 3], "units": 6, "conditional": conditional, "init": 0.01, "peepholeInit": 0.1}
        yield golden("compositeLstm", own, lstm_shapes(own), lambda p, x, y, own=own: lstm_network(p, own, x, y))


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    rows = list(made())
    FILE.write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        print(row["network"], row["loss"], row["logits"][:3])
