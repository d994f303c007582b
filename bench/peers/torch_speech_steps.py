#!/usr/bin/env python3
"""PyTorch's side of bench/speech/training.mjs: torch_speech_steps.py FOLDER MODE.

From our weights, a step of Adam on each of our batches at each turn, under autocast for bf16; features stay f32, as ours do. Rows are sorted by
length, as packed sequences like it. MODE is `eager`; `compiled`, where the features and what follows the fused layers are compiled; `padded`,
without packing; `exact`, in float64.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F

from tensor_file import read_tensors
from torch_speech import PaddedSpeech, Speech
from torch_translators import Weights
from turns import peak_memory, take_turns


def prepared(model, tensors, i, dtype):
    samples = torch.tensor(tensors[f'{i}/samples'], dtype=dtype)
    counts, labels, written = (torch.tensor(tensors[f'{i}/{name}']).long() for name in ('sampleLengths', 'labels', 'labelLengths'))
    order = counts.argsort(descending=True, stable=True)
    frames = model.front.frames_of(counts[order])
    # No further than the last frame of the longest row.
    seen = (int(frames[0]) - 1) * model.front.shift + model.front.length
    return samples.T[order, :seen].contiguous(), frames, labels[order], written[order]


def main():
    folder, mode = sys.argv[1:]
    with open(f'{folder}/task.json') as file:
        task = json.load(file)
    torch.set_num_threads(task['threads'])
    dtype = torch.float64 if mode == 'exact' else torch.float32
    model = (PaddedSpeech if mode == 'padded' else Speech)(task['config'], task['filters'])
    model.take(Weights(read_tensors(f'{folder}/weights.safetensors')))
    model = model.to(dtype).train()
    tensors = read_tensors(f'{folder}/batches.safetensors')
    batches = [prepared(model, tensors, i, dtype) for i in range(task['batches'])]
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=task['rate'], fused=True)
    if mode == 'compiled':
        model.front = torch.compile(model.front)
        model.head = torch.compile(model.head, dynamic=True)

    def loss_of(samples, frames, labels, counts):
        numbers = model.numbers(samples, frames)
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=task['precision'] == 'bf16'):
            chosen = model(numbers, frames)
        return F.ctc_loss(chosen, labels, frames, counts, reduction='none').mean()

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
