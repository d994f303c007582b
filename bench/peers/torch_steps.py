#!/usr/bin/env python3
"""PyTorch's training step for one case, as one JSON line: torch_steps.py CASE PRECISION STEPS THREADS.

Eager mode with what PyTorch recommends for speed on a CPU: channels-last images, autocast for bf16, fused SGD,
gradients set to None. Median over the steps after a warm-up, on one random batch of 128, like bench/steps/measure.mjs.
"""
import json
import sys
import time

import torch
from torch import nn

WARM_UP = 5
BATCH = 128


def mlp():
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)), (784,)


def lenet():
    def block(inputs, outputs):
        return nn.Conv2d(inputs, outputs, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)

    head = nn.Flatten(), nn.Linear(3136, 1024), nn.ReLU(), nn.Linear(1024, 10)
    return nn.Sequential(*block(1, 32), *block(32, 64), *head), (1, 28, 28)


CASES = {'mlp': mlp, 'lenet': lenet}


def median_step_ms(case, precision, steps):
    model, shape = CASES[case]()
    x, target = torch.randn(BATCH, *shape), torch.arange(BATCH) % 10
    if len(shape) == 3:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=True)
    times = []
    for _ in range(steps + WARM_UP):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=precision == 'bf16'):
            logits = model(x)
        loss = nn.functional.cross_entropy(logits.float(), target)
        loss.backward()
        optimizer.step()
        loss.item()
        times.append(time.perf_counter() - start)
    times = sorted(times[WARM_UP:])
    return times[len(times) // 2] * 1e3


if __name__ == '__main__':
    case, precision, steps, threads = sys.argv[1:5]
    torch.set_num_threads(int(threads))
    step = median_step_ms(case, precision, int(steps))
    print(json.dumps({'name': 'torch ' + torch.__version__, 'step': step}), flush=True)
