#!/usr/bin/env python3
"""PyTorch's side of bench/ctc/run.mjs: torch_ctc.py FOLDER. The loss of the folder's rows and its gradient, so many times a turn."""
import json
import sys
import time

import torch
import torch.nn.functional as F

from tensor_file import read_tensors
from turns import peak_memory, take_turns


def main():
    (folder,) = sys.argv[1:]
    with open(f'{folder}/task.json') as file:
        task = json.load(file)
    torch.set_num_threads(task['threads'])
    given = {name: torch.tensor(values) for name, values in read_tensors(f'{folder}/rows.safetensors').items()}
    logits = given['logits'].requires_grad_()
    labels, counts, frames = (given[name].long() for name in ('labels', 'labelLengths', 'frameLengths'))

    def loss_of(x):
        return F.ctc_loss(x.log_softmax(-1), labels, frames, counts, reduction='none').mean()

    def turn():
        start = time.perf_counter()
        for _ in range(task['runs']):
            logits.grad = None
            loss = loss_of(logits)
            loss.backward()
            size = logits.grad.norm().item()
        ms = (time.perf_counter() - start) * 1e3 / task['runs']
        return {'ms': ms, 'loss': loss.item(), 'size': size, 'memory': peak_memory()}

    double = logits.detach().double().requires_grad_()
    loss = loss_of(double)
    loss.backward()
    exact = {'loss': loss.item(), 'size': double.grad.norm().item()}
    take_turns({'name': 'torch ' + torch.__version__, 'exact': exact}, turn)


if __name__ == '__main__':
    main()
