#!/usr/bin/env python3
"""PyTorch's side of bench/translation/training.mjs: torch_translation_steps.py FOLDER MODE, where MODE is `eager` or `compiled`.

From our weights, a step of Adam on each of our batches at each turn, under autocast for bf16. Batches are padded to their longest sentence
alone, and sorted by length, as packed sequences like it. Compiled, with dynamic shapes, are all of a Transformer; else the words and their loss,
which fused layers stand before, and the step of the loop by which attention writes.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F

from tensor_file import read_tensors
from torch_translators import as_read, translator
from turns import peak_memory, take_turns

FIELDS = ('source', 'input', 'target', 'sourceLengths', 'targetLengths')


def prepared(model, config, tensors, i):
    source, before, target, lengths, others = (torch.tensor(tensors[f'{i}/{name}']).long() for name in FIELDS)
    order = lengths.argsort(descending=True, stable=True)
    lengths, steps = lengths[order], int(others.max())
    source = as_read(model, config, source[: lengths[0], order], lengths)
    before, target = (x[:steps, order].T if model.batch_first else x[:steps, order] for x in (before, target))
    return source, lengths, before.contiguous(), target.contiguous()


def main():
    folder, mode = sys.argv[1:]
    with open(f'{folder}/task.json') as file:
        task = json.load(file)
    torch.set_num_threads(task['threads'])
    model = translator(task, read_tensors(f'{folder}/weights.safetensors')).train()
    tensors = read_tensors(f'{folder}/batches.safetensors')
    batches = [prepared(model, task['config'], tensors, i) for i in range(task['batches'])]
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=task['rate'], fused=True)

    def head(x, target):
        return F.cross_entropy(model.words(x).flatten(0, 1).float(), target.flatten(), ignore_index=0)

    def loss_of(source, lengths, before, target):
        return head(model.written(source, lengths, before), target)

    if mode == 'compiled':
        torch._dynamo.config.recompile_limit = 64
        if task['network'] == 'transformer':
            loss_of = torch.compile(loss_of, dynamic=True)
        else:
            head = torch.compile(head, dynamic=True)
        if task['network'] == 'attention':
            model.step = torch.compile(model.step, dynamic=True)

    def turn():
        losses, start = [], time.perf_counter()
        for batch in batches:
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast('cpu', dtype=torch.bfloat16, enabled=task['precision'] == 'bf16'):
                loss = loss_of(*batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return {'seconds': time.perf_counter() - start, 'losses': losses, 'memory': peak_memory()}

    take_turns({'name': 'torch ' + torch.__version__ + ('' if mode == 'eager' else ' ' + mode)}, turn)


if __name__ == '__main__':
    main()
