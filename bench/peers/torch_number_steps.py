#!/usr/bin/env python3
"""PyTorch's side of bench/numbers/training.mjs: torch_number_steps.py FOLDER MODE.

From our weights, a step of Adam on each of our batches at each turn, channels last, under autocast for bf16. MODE is `eager`; `compiled`; `exact`, in
float64.
"""
import json
import sys
import time

import torch

from tensor_file import read_tensors
from torch_house_numbers import HouseNumbers, number_loss
from torch_translators import Weights
from turns import peak_memory, take_turns


def main():
    folder, mode = sys.argv[1:]
    with open(f'{folder}/task.json') as file:
        task = json.load(file)
    torch.set_num_threads(task['threads'])
    dtype = torch.float64 if mode == 'exact' else torch.float32
    model = HouseNumbers(task['config'])
    model.take(Weights(read_tensors(f'{folder}/weights.safetensors')))
    model = model.to(dtype=dtype, memory_format=torch.channels_last).train()
    tensors = read_tensors(f'{folder}/batches.safetensors')

    def prepared(i):
        x, length, digits, mask = (torch.tensor(tensors[f'{i}/{name}']) for name in ('x', 'length', 'digits', 'mask'))
        return x.to(torch.uint8), length.long(), digits.long(), mask.to(dtype)

    batches = [prepared(i) for i in range(task['batches'])]
    optimizer = torch.optim.Adam(model.parameters(), lr=task['rate'], fused=True)
    run = torch.compile(model) if mode == 'compiled' else model

    def loss_of(x, *labels):
        images = (x.to(dtype) / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=task['precision'] == 'bf16'):
            logits = run(images)
        return number_loss(logits, *labels)

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
