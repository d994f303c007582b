"""What golden vectors are made with: numbers, and an op's outputs and gradients as JSON holds them."""

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)


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
