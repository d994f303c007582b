#!/usr/bin/env python3
"""PyTorch's training step for one case, as one JSON line: torch_steps.py CASE PRECISION STEPS THREADS [DEVICE [MODE]].

With what PyTorch recommends for speed: channels-last images, autocast for bf16, fused SGD, gradients set to None. On a GPU
also cuDNN's search for algorithms; f32 does not mean tf32, and the batch lies on the device already. MODE is `eager` or
`compiled`. Median over the steps after a warm-up, on one random batch of 128, like bench/steps/measure.mjs: the time
between ends of steps, where a step ends when its loss is read, and on a GPU that is read while the next one runs.
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


def prepared(case, device):
    model, shape = CASES[case]()
    model = model.to(device)
    x, target = torch.randn(BATCH, *shape, device=device), torch.arange(BATCH, device=device) % 10
    if len(shape) == 3:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    return model, x, target


def median_step_ms(case, precision, steps, device, mode):
    model, x, target = prepared(case, device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=True)
    # Whole graphs of the device, as ours are; on a CPU there are none.
    forward = model if mode == 'eager' else torch.compile(model, mode='reduce-overhead')

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=precision == 'bf16'):
            logits = forward(x)
        loss = nn.functional.cross_entropy(logits.float(), target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def synchronize():
        if device == 'cuda':
            torch.cuda.synchronize()

    for _ in range(WARM_UP):
        step().item()
    synchronize()
    in_flight, ends = step(), [time.perf_counter()]
    for _ in range(steps):
        following = step()
        in_flight.item()
        in_flight = following
        ends.append(time.perf_counter())
    synchronize()
    times = sorted(end - start for start, end in zip(ends, ends[1:]))
    return times[len(times) // 2] * 1e3


if __name__ == '__main__':
    case, precision, steps, threads, device, mode = (sys.argv[1:] + ['cpu', 'eager'][len(sys.argv) - 5:])[:6]
    torch.set_num_threads(int(threads))
    torch.backends.cuda.matmul.allow_tf32 = precision == 'tf32'
    torch.backends.cudnn.allow_tf32 = precision == 'tf32'
    torch.backends.cudnn.benchmark = True
    measured = median_step_ms(case, precision, int(steps), device, mode)
    name = 'torch ' + torch.__version__ + ('' if mode == 'eager' else ' ' + mode)
    print(json.dumps({'name': name, 'step': measured}), flush=True)
