#!/usr/bin/env python3
"""PyTorch's side of bench/speech/features.mjs: torch_features.py FOLDER MODE.

The numbers of the frames of one sound, so many times a turn. MODE is `eager` or `compiled`; or `exact`, which only puts what float64 finds into the
folder, in a process of its own, as memory is measured. All say how far from that theirs are, `exact` how far ours are.
"""
import json
import sys
import time

import numpy
import torch

from tensor_file import read_tensors
from torch_speech import FilterBanks
from turns import peak_memory, take_turns


def main():
    folder, mode = sys.argv[1:]
    with open(f'{folder}/task.json') as file:
        task = json.load(file)
    torch.set_num_threads(task['threads'])
    torch.set_grad_enabled(False)
    given = {name: torch.tensor(values) for name, values in read_tensors(f'{folder}/numbers.safetensors').items()}
    samples = given['samples'][None]
    front = FilterBanks(task['banks'], task['deltas'], task['filters'])
    if mode == 'exact':
        numpy.save(f'{folder}/exact.npy', front(samples.double()))
    exact = torch.tensor(numpy.load(f'{folder}/exact.npy'))
    front = front.float()
    if mode == 'compiled':
        front = torch.compile(front)
    numbers = given['numbers'].transpose(0, 1) if mode == 'exact' else front(samples)
    apart = ((numbers - exact).abs() / exact.abs().clamp(min=1)).max().item()

    def turn():
        start = time.perf_counter()
        for _ in range(task['runs']):
            front(samples)
        return {'seconds': (time.perf_counter() - start) / task['runs'], 'memory': peak_memory()}

    name = 'torch ' + torch.__version__ + ('' if mode == 'eager' else ' ' + mode)
    take_turns({'name': name, 'apart': apart}, turn)


if __name__ == '__main__':
    main()
