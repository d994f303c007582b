"""Matrix products, and ops over windows."""

import torch
import torch.nn.functional as F

from families.vectors import distinct, normal, vector


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
