"""Makes the golden vectors of test/golden/*.json with PyTorch in float64: outputs and gradients of each op, along random
cotangents, in the attributes of native/program/FORMAT.md. Run with any PyTorch >= 2.0: python test/golden/make_golden.py
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)
FOLDER = pathlib.Path(__file__).parent


def array(x):
    dtype = {torch.float64: "float", torch.int64: "i32", torch.uint8: "u8"}[x.dtype]
    return {"dtype": dtype, "shape": list(x.shape), "data": x.detach().flatten().tolist()}


def vector(op, name, attrs, inputs, compute, outputs=None):
    """Outputs of `compute`, and its gradients. `outputs` are fewer where an op has others that are opaque."""
    leaves = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    results = compute(*leaves)
    results = list(results) if isinstance(results, (tuple, list)) else [results]
    made = {"op": op, "name": name, "attrs": attrs, "inputs": [array(x) for x in inputs]}
    made["outputs"] = [array(x) for x in results]
    floats = [x for x in results if x.is_floating_point() and x.requires_grad]
    if floats:
        cotangents = [normal(*x.shape) for x in floats]
        wrt = [x for x in leaves if x.is_floating_point()]
        gradients = torch.autograd.grad(floats, wrt, cotangents)
        made["cotangents"] = [array(x) for x in cotangents]
        made["gradients"] = [array(x) for x in gradients]
    return made


def normal(*shape):
    """In sixteenths: linear ops then have short decimals, and the files stay small."""
    return torch.round(torch.randn(shape) * 16) / 16


def distinct(*shape):
    """No two elements are close: maxima are not in doubt."""
    n = torch.Size(shape).numel()
    return (torch.randperm(n) - n / 2).reshape(shape) / 8


def reduce():
    made = []
    for axes, keep in [([1], False), ([0, 2], True)]:
        attrs = {"axes": axes, "keepDims": keep}
        made.append(vector("sum", f"axes {axes}", attrs, [normal(2, 3, 4)], lambda x: x.sum(axes, keepdim=keep)))
        made.append(vector("max", f"axes {axes}", attrs, [distinct(2, 3, 4)], lambda x: x.amax(axes, keepdim=keep)))
    tie = torch.tensor([[1.0, 3, 3], [2, 2, 2]])
    made.append(vector("max", "ties", {"axes": [1], "keepDims": False}, [tie], lambda x: x.amax([1])))
    made.append(vector("argmax", "the last axis", {"axis": 1}, [distinct(3, 5)], lambda x: x.argmax(1)))
    return made


def reshape():
    x = normal(2, 3, 4)
    return [
        vector("reshape", "a cube", {"shape": [4, 6]}, [x], lambda x: x.reshape(4, 6)),
        vector("transpose", "a cycle", {"perm": [2, 0, 1]}, [x], lambda x: x.permute(2, 0, 1)),
        vector("broadcastTo", "two axes", {"shape": [2, 3, 4]}, [normal(3, 1)], lambda x: x.expand(2, 3, 4)),
        vector("slice", "the middle", {"start": [0, 1, 1], "size": [2, 2, 2]}, [x], lambda x: x[:, 1:3, 1:3]),
        vector("concat", "the middle axis", {"axis": 1}, [x, normal(2, 2, 4)], lambda a, b: torch.cat([a, b], 1)),
        vector("pad", "a border", {"before": [0, 1, 0], "after": [0, 2, 1], "value": -0.5}, [x],
               lambda x: F.pad(x, (0, 1, 1, 2), value=-0.5)),
    ]


def matmul():
    made = []
    for ta in (False, True):
        for tb in (False, True):
            attrs = {"transposeA": ta, "transposeB": tb, "activation": "none", "dtype": "f32", "sumA": False}

            def product(a, b, bias=None):
                y = (a.mT if ta else a) @ (b.mT if tb else b)
                return y if bias is None else y + bias

            a = normal(2, 4, 3) if ta else normal(2, 3, 4)
            b = normal(5, 4) if tb else normal(4, 5)
            batch = normal(2, 5, 4) if tb else normal(2, 4, 5)
            made.append(vector("matmul", f"{ta} {tb} shared", attrs, [a, b, normal(5)], product))
            made.append(vector("matmul", f"{ta} {tb} batched", attrs, [a, batch], product))
    return made


def conv2d():
    made = []
    layouts = [
        ("dense", (2, 3, 5, 6), (4, 3, 3, 2), (1, 1), (0, 0), (1, 1), 1),
        ("strided", (1, 2, 7, 6), (3, 2, 3, 3), (2, 3), (1, 1), (1, 1), 1),
        ("dilated", (1, 2, 6, 6), (2, 2, 2, 3), (1, 1), (1, 0), (2, 2), 1),
        ("grouped", (2, 4, 4, 4), (6, 2, 3, 3), (1, 1), (1, 1), (1, 1), 2),
    ]
    for name, x_shape, w_shape, stride, padding, dilation, groups in layouts:
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        geometry = {"stride": list(stride), "padding": [*padding, *padding], "dilation": list(dilation), "groups": groups}
        geometry["dtype"] = "f32"
        x, w, bias = normal(*x_shape), normal(*w_shape), normal(w_shape[0])
        forward = lambda x, w, b=None: F.conv2d(x, w, b, **options)
        made.append(vector("conv2d", name, {**geometry, "activation": "none"}, [x, w, bias], forward))
        dy = normal(*forward(x, w).shape)
        grad_input = lambda dy, w: torch.nn.grad.conv2d_input(x_shape, w, dy, **options)
        grad_weight = lambda x, dy: torch.nn.grad.conv2d_weight(x, w_shape, dy, **options)
        made.append(vector("conv2dGradInput", name, {**geometry, "size": list(x_shape[2:])}, [dy, w], grad_input))
        attrs = {**geometry, "kernel": list(w_shape[2:]), "sumDy": False}
        made.append(vector("conv2dGradWeight", name, attrs, [x, dy], grad_weight))
    return made


def pool2d():
    made = []
    for name, kernel, stride, padding in [("plain", 2, 2, 0), ("overlapping", 3, 2, 0), ("padded", 3, 2, 1)]:
        geometry = {"kernel": [kernel] * 2, "stride": [stride] * 2, "padding": [padding] * 4}
        x = distinct(2, 2, 7, 6)
        made.append(vector("maxPool2d", name, geometry, [x], lambda x: F.max_pool2d(x, kernel, stride, padding)))
        for count in (True, False):
            attrs = {**geometry, "countPadding": count}
            average = lambda x: F.avg_pool2d(x, kernel, stride, padding, count_include_pad=count)
            made.append(vector("avgPool2d", f"{name} {count}", attrs, [x], average))
            dy = normal(*average(x).shape)
            zero = torch.zeros_like(x, requires_grad=True)
            backward = lambda dy: torch.autograd.grad(average(zero), zero, dy, create_graph=True)[0]
            made.append(vector("avgPool2dGrad", f"{name} {count}", {**attrs, "size": [7, 6]}, [dy], backward))
    return made


def lrn():
    made = []
    for size, k in [(5, 2.0), (3, 1.0)]:
        factors = {"size": size, "alpha": 0.5, "beta": 0.75, "k": k}
        # PyTorch divides alpha by the size.
        forward = lambda x: F.local_response_norm(x, size, 0.5 * size, 0.75, k)

        def backward(dy, x):
            return torch.autograd.grad(forward(x), x, dy, create_graph=True)[0]

        made.append(vector("lrn", f"size {size}", factors, [normal(2, 7, 2, 3)], forward))
        made.append(vector("lrnGrad", f"size {size}", factors, [normal(2, 7, 2, 3), normal(2, 7, 2, 3)], backward))
    return made


def ceil_pool2d():
    """Windows beyond the end are padding at the bottom and at the right; means are over what lies inside."""
    made = []
    for kernel, stride, padding, size in [(3, 2, 0, (6, 8)), (2, 3, 1, (5, 6)), (3, 2, 1, (6, 7))]:
        x = distinct(2, 2, *size)
        largest = lambda x: F.max_pool2d(x, kernel, stride, padding, ceil_mode=True)
        mean = lambda x: F.avg_pool2d(x, kernel, stride, padding, ceil_mode=True, count_include_pad=False)
        y = largest(x)
        after = [max(padding, (y.shape[2 + i] - 1) * stride + kernel - size[i] - padding) for i in range(2)]
        geometry = {"kernel": [kernel] * 2, "stride": [stride] * 2, "padding": [padding, padding, *after]}
        name = f"ceil {kernel} {stride} {padding}"
        made.append(vector("maxPool2d", name, geometry, [x], largest))
        made.append(vector("avgPool2d", name, {**geometry, "countPadding": False}, [x], mean))
    return made


def unfold():
    """PyTorch's rows are [N, C*KH*KW, OH*OW]."""
    made = []
    for name, kernel, stride, padding in [("plain", (2, 3), (1, 1), (0, 0)), ("strided", (3, 2), (2, 1), (1, 0))]:
        options = {"stride": stride, "padding": padding}
        geometry = {"kernel": list(kernel), "stride": list(stride), "padding": [*padding, *padding]}
        forward = lambda x: F.unfold(x, kernel, **options).permute(2, 0, 1)
        backward = lambda rows: F.fold(rows.permute(1, 2, 0), (5, 4), kernel, **options)
        x = normal(2, 3, 5, 4)
        made.append(vector("unfold", name, geometry, [x], forward))
        made.append(vector("fold", name, {**geometry, "size": [5, 4]}, [normal(*forward(x).shape)], backward))
    return made


def softmax():
    x, labels = normal(4, 5) * 2, torch.tensor([0, 4, 2, 2])
    parts = lambda x: torch.stack([x.amax(1), torch.logsumexp(x - x.amax(1, True), 1)], 1)
    both = lambda x, y: (F.cross_entropy(x, y, reduction="none"), parts(x))

    def gradient(dloss, x, y, lse):
        return dloss[:, None] * (torch.exp(x - lse.sum(1, True)) - F.one_hot(y, 5))

    return [
        vector("softmax", "three axes", {}, [normal(2, 3, 4)], lambda x: x.softmax(-1)),
        vector("logSoftmax", "three axes", {}, [normal(2, 3, 4)], lambda x: x.log_softmax(-1)),
        vector("softmax", "large logits", {}, [normal(3, 4) * 300], lambda x: x.softmax(-1)),
        vector("crossEntropy", "five classes", {}, [x, labels], both),
        vector("crossEntropyGrad", "five classes", {}, [normal(4), x, labels, parts(x)], gradient),
    ]


def gather():
    index = torch.tensor([[0, 3, 3], [1, 0, 3]])
    scatter = lambda i, u: torch.zeros(4, 5).index_add(0, i.flatten(), u.reshape(-1, 5))
    return [
        vector("gather", "repeated rows", {}, [normal(4, 5), index], lambda table, i: table[i]),
        vector("scatterAdd", "repeated rows", {"rows": 4}, [index, normal(2, 3, 5)], scatter),
    ]


def lstm():
    """The recurrent part alone: PyTorch's cells on gates as they are, with the identity as weights of the input."""
    t, n, h = 3, 2, 3

    def steps(cell, gates, first, reverse):
        state, kept = first, [None] * t
        for i in reversed(range(t)) if reverse else range(t):
            state = kept[i] = cell(gates[i], state)
        return kept

    def whole(reverse):
        def compute(gates, w, h0, c0):
            def cell(x, state):
                return torch.lstm_cell(x, state, torch.eye(4 * h), w.T, torch.zeros(4 * h), torch.zeros(4 * h))

            kept = steps(cell, gates, (h0, c0), reverse)
            return torch.stack([h for h, _ in kept]), torch.stack([c for _, c in kept])

        return compute

    def plain(torch_cell, reverse):
        def compute(gates, w, h0):
            def cell(x, state):
                return torch_cell(x, state, torch.eye(h), w.T, torch.zeros(h), torch.zeros(h))

            return torch.stack(steps(cell, gates, h0, reverse))

        return compute

    def gated(reverse):
        def compute(gates, w, h0, b):
            def cell(x, state):
                return torch.gru_cell(x, state, torch.eye(3 * h), w.T, torch.zeros(3 * h), b)

            return torch.stack(steps(cell, gates, h0, reverse))

        return compute

    made = []
    for reverse in (False, True):
        name = "reversed" if reverse else "in order"
        inputs = [normal(t, n, 4 * h), normal(h, 4 * h), normal(n, h), normal(n, h)]
        made.append(vector("lstm", name, {"reverse": reverse}, inputs, whole(reverse)))
        for activation, cell in (("tanh", torch.rnn_tanh_cell), ("relu", torch.rnn_relu_cell)):
            attrs = {"reverse": reverse, "activation": activation}
            inputs = [normal(t, n, h), normal(h, h), normal(n, h)]
            made.append(vector("rnn", f"{activation}, {name}", attrs, inputs, plain(cell, reverse)))
        inputs = [normal(t, n, 3 * h), normal(h, 3 * h), normal(n, h), normal(3 * h)]
        made.append(vector("gru", name, {"reverse": reverse}, inputs, gated(reverse)))
    return made


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


def scan():
    back = lambda x: x.flip(-1).cumsum(-1).flip(-1)
    return [
        vector("cumsum", "rows", {}, [normal(3, 4)], lambda x: x.cumsum(-1)),
        vector("cumsumGrad", "rows", {}, [normal(3, 4)], back),
        vector("topK", "rows", {"k": 3}, [distinct(3, 6)], lambda x: tuple(x.topk(3))),
    ]


def losses():
    """Not of ops: of functions of lib/nn, with the names of what comes after their operands in `takes`."""
    logits, labels, weights = normal(4, 3), torch.tensor([0, 2, 1, 2]), torch.tensor([0.5, 1, 2])
    mask = torch.tensor([1, 0, 1, 1], dtype=torch.uint8)
    a, b, c = normal(4, 3), normal(4, 3), normal(4, 3)
    targets, alike = torch.rand(4, 3).mul(16).round() / 16, torch.tensor([1, 0, 0, 1], dtype=torch.uint8)
    signs = alike.to(torch.float64) * 2 - 1
    apart = torch.arange(12.0).reshape(4, 3) / 4 - 1.4
    kept = lambda values: values[mask.bool()].mean()
    each = {"reduction": "none"}

    def entropy(x, y):
        return F.cross_entropy(x, y, weight=weights, label_smoothing=0.1)

    def masked(x, y, m):
        rows = m.bool()
        return F.cross_entropy(x[rows], y[rows], weight=weights, label_smoothing=0.1)

    return [
        vector("crossEntropy()", "plain", {"takes": []}, [logits, labels], F.cross_entropy),
        vector("crossEntropy()", "smoothed", {"takes": [], "smoothing": 0.1}, [logits, labels],
               lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1)),
        vector("crossEntropy()", "weighted", {"takes": [], "smoothing": 0.1, "weights": weights.tolist()}, [logits, labels], entropy),
        vector("crossEntropy()", "masked", {"takes": ["mask"], "smoothing": 0.1, "weights": weights.tolist()},
               [logits, labels, mask], masked),
        vector("crossEntropy()", "a mask alone", {"takes": ["mask"]}, [logits, labels, mask],
               lambda x, y, m: F.cross_entropy(x[m.bool()], y[m.bool()])),
        vector("binaryCrossEntropy()", "weighted", {"takes": [], "positiveWeight": 3}, [a, targets],
               lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=torch.tensor(3.0))),
        vector("meanAbsoluteError()", "plain", {"takes": []}, [a, apart], F.l1_loss),
        vector("huber()", "a delta", {"takes": [], "delta": 0.5}, [a, apart], lambda x, y: F.huber_loss(x, y, delta=0.5)),
        vector("meanSquaredError()", "masked", {"takes": ["mask"]}, [a[0], b[0], torch.tensor([1, 0, 1], dtype=torch.uint8)],
               lambda x, y, m: F.mse_loss(x[m.bool()], y[m.bool()])),
        vector("cosineEmbedding()", "a margin", {"takes": [], "margin": 0.2}, [a, b, alike],
               lambda x, y, _: F.cosine_embedding_loss(x, y, signs, margin=0.2)),
        vector("tripletMargin()", "plain", {"takes": []}, [a, b, c], lambda x, y, z: F.triplet_margin_loss(x, y, z)),
        vector("tripletMargin()", "masked", {"takes": ["mask"], "margin": 2}, [a, b, c, mask],
               lambda x, y, z, m: kept(F.triplet_margin_loss(x, y, z, margin=2, **each))),
    ]


def composed():
    """Functions of lib/ops that are made of others, by name; `attrs` are their options."""
    x, w, bias = normal(2, 4, 3, 4), normal(4, 3, 3, 2), normal(3)
    line, taps = normal(2, 4, 7), normal(6, 2, 3)
    return [
        vector("conv1d()", "in groups", {"stride": 2, "padding": 1, "groups": 2}, [line, taps, normal(6)],
               lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1, groups=2)),
        vector("convTranspose2d()", "strided", {"stride": 2, "padding": 1, "outputPadding": 1}, [x, w, bias],
               lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=1)),
        vector("globalAvgPool2d()", "images", {}, [x], lambda x: x.mean([2, 3])),
        vector("upsample2d()", "twice", {"factor": 2}, [x], lambda x: F.interpolate(x, scale_factor=2, mode="nearest")),
    ]


def unused(compute, index):
    """With an input that the result does not depend on, and yet has a gradient: zeros."""

    def computed(*inputs):
        first, *rest = compute(*inputs)
        return (first + 0 * inputs[index].sum(), *rest)

    return computed


def same(made, expected):
    """The outputs of a formula are PyTorch's own gradients."""
    for output, want in zip(made["outputs"], expected, strict=True):
        torch.testing.assert_close(torch.tensor(output["data"]).reshape(want.shape), want)


FAMILIES = (
    *(reduce, reshape, matmul, conv2d, pool2d, softmax, gather, lrn, ceil_pool2d, unfold, lstm, norm),
    *(nonlinearity, normalise, scan, losses, composed),
)


def main():
    for family in FAMILIES:
        lines = ",\n".join(json.dumps(item) for item in family())
        (FOLDER / f"{family.__name__}.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
