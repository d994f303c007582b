#!/usr/bin/env python3
"""PyTorch's side of bench/video/training.mjs: torch_video_steps.py FOLDER MODE.

From our weights, a step of Adam on each of our batches at each turn, under autocast for bf16. MODE is `eager`; `compiled`; `exact`, in float64.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F

from tensor_file import read_tensors
from torch_forecasters import forecaster
from turns import peak_memory, take_turns


def main():
    folder, mode = sys.argv[1:]
    with open(f'{folder}/task.json') as file:
        task = json.load(file)
    torch.set_num_threads(task['threads'])
    dtype = torch.float64 if mode == 'exact' else torch.float32
    model = forecaster(task['kind'], task['config'], read_tensors(f'{folder}/weights.safetensors')).to(dtype).train()
    tensors = read_tensors(f'{folder}/batches.safetensors')
    batches = [[torch.tensor(tensors[f'{i}/{name}'], dtype=dtype) / 255 for name in ('x', 'target')] for i in range(task['batches'])]
    optimizer = torch.optim.Adam(model.parameters(), lr=task['rate'], fused=True)

    def nats(logits, frames):
        return F.binary_cross_entropy_with_logits(logits, frames, reduction='sum') / (frames.shape[0] * frames.shape[1])

    def loss_of(x, target):
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=task['precision'] == 'bf16'):
            logits, others = model(x)
        loss = nats(logits.to(dtype), target)
        return loss if others is None else loss + nats(others.to(dtype), x[1:])

    if mode == 'compiled':
        loss_of = torch.compile(loss_of)

    def turn():
        losses, start = [], time.perf_counter()
        for batch in batches:
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(*batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return {'seconds': time.perf_counter() - start, 'losses': losses, 'memory': peak_memory()}

    take_turns({'name': 'torch ' + torch.__version__ + ('' if mode == 'eager' else ' ' + mode)}, turn)


if __name__ == '__main__':
    main()
