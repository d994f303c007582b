#!/usr/bin/env python3
"""PyTorch's step of bench/rows/measure.mjs: torch_rows.py VOCABULARY OPTIMIZER KIND STEPS THREADS, one JSON line.

`sparse` is nn.Embedding(sparse=True) with SGD, Adagrad or SparseAdam; `dense` the same tables with whole gradients, by the fused
optimiser where there is one.
"""
import json
import resource
import sys
import time

import torch
from torch.nn.functional import softplus

WIDTH, BATCH, NEGATIVES, WARM_UP = 100, 1024, 5, 5


def optimizer(rule, sparse, parameters):
    if rule == 'sgd':
        return torch.optim.SGD(parameters, 0.05, **({} if sparse else {'fused': True}))
    if rule == 'adagrad':
        return torch.optim.Adagrad(parameters, 0.05, **({} if sparse else {'fused': True}))
    return torch.optim.SparseAdam(parameters, 1e-3) if sparse else torch.optim.Adam(parameters, 1e-3, fused=True)


def main():
    vocabulary, rule, kind, steps, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    sparse = kind == 'sparse'
    words, contexts = (torch.nn.Embedding(int(vocabulary), WIDTH, sparse=sparse) for _ in range(2))
    update = optimizer(rule, sparse, [words.weight, contexts.weight])
    times = []
    for _ in range(int(steps) + WARM_UP):
        center, context = (torch.randint(int(vocabulary), (BATCH,)) for _ in range(2))
        negative = torch.randint(int(vocabulary), (BATCH, NEGATIVES))
        start = time.perf_counter()
        update.zero_grad(set_to_none=True)
        u = words(center)
        good = (u * contexts(context)).sum(-1)
        bad = (u[:, None] * contexts(negative)).sum(-1)
        loss = (softplus(-good) + softplus(bad).sum(-1)).mean()
        loss.backward()
        update.step()
        loss.item()
        times.append(time.perf_counter() - start)
    ms = sorted(times[WARM_UP:])[int(steps) // 2] * 1e3
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({'name': 'torch ' + torch.__version__, 'ms': ms, 'memory': memory}), flush=True)


if __name__ == '__main__':
    main()
