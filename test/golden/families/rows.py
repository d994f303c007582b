"""Ops over rows, single elements, and normalisations."""

import torch
import torch.nn.functional as F

from families.vectors import normal, same, unused, vector


def entropy(name, s, x, labels, dloss):
    """Cross-entropy with s of each target spread over all classes, and its gradient, drawn when it is reached."""
    parts = lambda x: torch.stack([x.amax(1), torch.logsumexp(x - x.amax(1, True), 1)], 1)
    target = lambda y: (1 - s) * F.one_hot(y, 5) + s / 5

    def both(x, y):
        return F.cross_entropy(x, y, reduction="none", label_smoothing=s), parts(x)

    def gradient(dloss, x, y, lse):
        return dloss[:, None] * (torch.exp(x - lse.sum(1, True)) - target(y))

    attrs = {"smoothing": s}
    made = vector("crossEntropy", name, attrs, [x, labels], both)
    return [made, vector("crossEntropyGrad", name, attrs, [dloss(), x, labels, parts(x)], gradient)]


def softmax():
    x, labels = normal(4, 5) * 2, torch.tensor([0, 4, 2, 2])
    return [
        vector("softmax", "three axes", {}, [normal(2, 3, 4)], lambda x: x.softmax(-1)),
        vector("logSoftmax", "three axes", {}, [normal(2, 3, 4)], lambda x: x.log_softmax(-1)),
        vector("softmax", "large logits", {}, [normal(3, 4) * 300], lambda x: x.softmax(-1)),
        *entropy("five classes", 0, x, labels, lambda: normal(4)),
    ]


def smoothed():
    return entropy("smoothed labels", 0.3, normal(4, 5) * 2, torch.tensor([0, 4, 2, 2]), lambda: normal(4))


def norm():
    return [vector("norm", "all elements", {}, [normal(2, 3, 4)], lambda x: x.norm())]


def nonlinearity():
    functions = {
        "erf": torch.erf,
        "gelu": F.gelu,
        "geluTanh": lambda x: F.gelu(x, approximate="tanh"),
        "silu": F.silu,
        "softplus": F.softplus,
    }
    return [vector(name, "a matrix", {}, [normal(3, 4)], function) for name, function in functions.items()]


def normalise():
    """PyTorch's variances are divided by the count, as those that it normalises with."""
    made = []
    for shape in [(5, 3), (2, 3, 2, 3)]:
        axes = [i for i in range(len(shape)) if i != 1]
        at = lambda v: v.reshape([1, -1] + [1] * (len(shape) - 2))

        def batch(x, scale, shift):
            y = F.batch_norm(x, None, None, scale, shift, training=True, eps=0.01)
            return y, x.mean(axes), x.var(axes, correction=0)

        def backward(dy, x, scale, shift, mean, variance):
            r = (at(variance) + 0.01).rsqrt()
            h, g = (x - at(mean)) * r, dy * at(scale)
            dx = r * (g - g.mean(axes, keepdim=True) - h * (g * h).mean(axes, keepdim=True))
            return dx, (dy * h).sum(axes), dy.sum(axes)

        attrs = {"epsilon": 0.01, "activation": "none"}
        x, scale, shift = normal(*shape), normal(shape[1]), normal(shape[1])
        made.append(vector("batchNorm", f"{shape}", attrs, [x, scale, shift], batch))
        statistics = [x.mean(axes), x.var(axes, correction=0)]
        gradient = vector("batchNormGrad", f"{shape}", attrs, [normal(*shape), x, scale, shift, *statistics], unused(backward, 3))
        dy = torch.tensor(gradient["inputs"][0]["data"]).reshape(shape)
        leaves = [value.clone().requires_grad_() for value in (x, scale, shift)]
        same(gradient, torch.autograd.grad(batch(*leaves)[0], leaves, dy))
        made.append(gradient)
    for shape, groups in [((3, 6), 2), ((2, 4, 2, 3), 2), ((3, 5), 1)]:
        n, c = shape[:2]
        attrs = {"groups": groups, "epsilon": 0.01}

        def group(x, scale, shift):
            runs = x.reshape(n, groups, -1)
            y = F.group_norm(x, groups, scale, shift, eps=0.01)
            return y, runs.mean(2), runs.var(2, correction=0)

        def backward(dy, x, scale, mean, variance):
            at = lambda v: v.reshape([1, -1] + [1] * (len(shape) - 2))
            runs = lambda v: v.reshape(n, groups, -1)
            r = (variance[:, :, None] + 0.01).rsqrt()
            h, g = (runs(x) - mean[:, :, None]) * r, runs(dy * at(scale))
            dx = r * (g - g.mean(2, keepdim=True) - h * (g * h).mean(2, keepdim=True))
            axes = [i for i in range(len(shape)) if i != 1]
            return dx.reshape(shape), (dy * h.reshape(shape)).sum(axes), dy.sum(axes)

        x, scale, shift = normal(*shape), normal(c), normal(c)
        made.append(vector("groupNorm", f"{shape} {groups}", attrs, [x, scale, shift], group))
        runs = x.reshape(n, groups, -1)
        statistics = [runs.mean(2), runs.var(2, correction=0)]
        gradient = vector("groupNormGrad", f"{shape} {groups}", attrs, [normal(*shape), x, scale, *statistics], backward)
        dy = torch.tensor(gradient["inputs"][0]["data"]).reshape(shape)
        leaves = [value.clone().requires_grad_() for value in (x, scale, shift)]
        same(gradient, torch.autograd.grad(group(*leaves)[0], leaves, dy))
        made.append(gradient)
    return made
