"""Ops that move, choose and add up elements."""

import torch
import torch.nn.functional as F

from families.vectors import distinct, normal, vector


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


def gather():
    index = torch.tensor([[0, 3, 3], [1, 0, 3]])
    scatter = lambda i, u: torch.zeros(4, 5).index_add(0, i.flatten(), u.reshape(-1, 5))
    return [
        vector("gather", "repeated rows", {}, [normal(4, 5), index], lambda table, i: table[i]),
        vector("scatterAdd", "repeated rows", {"rows": 4}, [index, normal(2, 3, 5)], scatter),
    ]


def scan():
    back = lambda x: x.flip(-1).cumsum(-1).flip(-1)
    return [
        vector("cumsum", "rows", {}, [normal(3, 4)], lambda x: x.cumsum(-1)),
        vector("cumsumGrad", "rows", {}, [normal(3, 4)], back),
        vector("topK", "rows", {"k": 3}, [distinct(3, 6)], lambda x: tuple(x.topk(3))),
    ]
