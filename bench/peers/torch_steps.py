#!/usr/bin/env python3
"""PyTorch's training step for one case, as one JSON line: torch_steps.py CASE PRECISION STEPS THREADS [DEVICE [MODE]].

With what PyTorch recommends for speed: channels-last images, autocast for bf16, fused SGD, gradients set to None. On a GPU
also cuDNN's search for algorithms; f32 does not mean tf32, and the batch lies on the device already. MODE is `eager` or
`compiled`. Median over the steps after a warm-up, on one random batch, like bench/steps/measure.mjs: the time between ends
of steps, where a step ends when its loss is read, and on a GPU that is read while the next one runs. `memory` is the most
that the process has had resident, in MiB.
"""
import json
import resource
import sys
import time

import torch
from torch import nn

WARM_UP = 5


def mlp():
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def lenet():
    def block(inputs, outputs):
        return nn.Conv2d(inputs, outputs, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)

    return nn.Sequential(*block(1, 32), *block(32, 64), nn.Flatten(), nn.Linear(3136, 1024), nn.ReLU(), nn.Linear(1024, 10))


def conv(inputs, outputs, kernel, **options):
    return nn.Conv2d(inputs, outputs, kernel, **options), nn.ReLU(inplace=True)


def dense(inputs):
    hidden = nn.Linear(inputs, 4096), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout()
    return nn.Flatten(), *hidden, nn.Linear(4096, 1000)


def one_tower():
    return nn.Sequential(
        *conv(3, 64, 11, stride=4, padding=2), nn.MaxPool2d(3, 2), *conv(64, 192, 5, padding=2), nn.MaxPool2d(3, 2),
        *conv(192, 384, 3, padding=1), *conv(384, 256, 3, padding=1), *conv(256, 256, 3, padding=1), nn.MaxPool2d(3, 2),
        *dense(9216),
    )


def two_towers():
    def normalized():
        return nn.LocalResponseNorm(5), nn.MaxPool2d(3, 2)

    return nn.Sequential(
        *conv(3, 96, 11, stride=4), *normalized(), *conv(96, 256, 5, padding=2, groups=2), *normalized(),
        *conv(256, 384, 3, padding=1), *conv(384, 384, 3, padding=1, groups=2), *conv(384, 256, 3, padding=1, groups=2),
        nn.MaxPool2d(3, 2), *dense(9216),
    )


class Local2d(nn.Module):
    """Windows of 3x3, padded by 1, whose weights each place has to itself: one batched product over the places."""

    def __init__(self, inputs, outputs, side):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(side * side, inputs * 9, outputs) * (2 / (inputs * 9)) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(side * side, 1, outputs))

    def forward(self, x):
        windows = nn.functional.unfold(x, 3, padding=1).permute(2, 0, 1)
        return torch.baddbmm(self.bias.to(windows.dtype), windows, self.weight.to(windows.dtype)).permute(1, 2, 0).reshape(len(x), -1, *x.shape[2:])


def cifar_convnet():
    def normalized():
        return nn.LocalResponseNorm(3, alpha=5e-5)

    def mean():
        return nn.AvgPool2d(3, 2, ceil_mode=True)

    return nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(3, 2, ceil_mode=True), nn.ReLU(inplace=True), normalized(),
        *conv(32, 32, 5, padding=2), mean(), normalized(), *conv(32, 64, 5, padding=2), mean(), nn.Flatten(), nn.Linear(1024, 10),
    )


def cifar_local():
    def normalized():
        return nn.LocalResponseNorm(9, alpha=1e-3)

    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    return nn.Sequential(
        *conv(3, 64, 5, padding=2), pool(), normalized(), *conv(64, 64, 5, padding=2), normalized(), pool(),
        Local2d(64, 64, 6), nn.ReLU(inplace=True), Local2d(64, 32, 6), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(1152, 10),
    )


class Block(nn.Module):
    """Two convolutions and a shortcut without parameters."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.stride, self.more, self.relu = stride, outputs - inputs, nn.ReLU(inplace=True)
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs),
        )

    def forward(self, x):
        shortcut = x if self.stride == 1 else nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.more))
        return self.relu(self.body(x) + shortcut)


def cifar_resnet():
    blocks = []
    for inputs, outputs in [(16, 16), (16, 32), (32, 64)]:
        blocks += [Block(inputs, outputs, 1 if inputs == outputs else 2), Block(outputs, outputs, 1), Block(outputs, outputs, 1)]
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )


class Mean(nn.Module):
    """Over time: [N, T, F] -> [N, F]."""

    def forward(self, x):
        return x.mean(1)


class Attention(nn.Module):
    def __init__(self, causal):
        super().__init__()
        self.inner, self.causal = nn.MultiheadAttention(512, 8, batch_first=True), causal

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], x.device, x.dtype) if self.causal else None
        return self.inner(x, x, x, need_weights=False, attn_mask=mask, is_causal=self.causal)[0]


def batch_norms():
    each = [layer for _ in range(4) for layer in (nn.BatchNorm2d(64), nn.ReLU(inplace=True))]
    return nn.Sequential(*each, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def over_time(make, count):
    return lambda: nn.Sequential(*(make() for _ in range(count)), Mean(), nn.Linear(512, 10))


class Words(nn.Module):
    """A language model over streams of words, whose state goes on from step to step."""

    def __init__(self, units, dropout, vocabulary=10000):
        super().__init__()
        self.embedding, self.linear = nn.Embedding(vocabulary, units), nn.Linear(units, vocabulary)
        self.lstm, self.dropout = nn.LSTM(units, units, 2, dropout=dropout), nn.Dropout(dropout)
        self.state = None

    def forward(self, words):
        h, state = self.lstm(self.dropout(self.embedding(words)), self.state)
        self.state = tuple(x.detach() for x in state)
        return self.linear(self.dropout(h))


# Units, steps, dropout, largest norm: 20 streams each.
WORDS = {'ptb-small': (200, 20, 0.0, 5), 'ptb-medium': (650, 35, 0.5, 5), 'ptb-large': (1500, 35, 0.65, 10)}

# Network, one example, classes, weight decay, Nesterov.
CASES = {
    'mlp': (mlp, (784,), 10, 0, False),
    'lenet': (lenet, (1, 28, 28), 10, 0, False),
    'cifar-convnet': (cifar_convnet, (3, 32, 32), 10, 5e-4, True),
    'cifar-local': (cifar_local, (3, 24, 24), 10, 5e-4, True),
    'cifar-resnet': (cifar_resnet, (3, 32, 32), 10, 5e-4, True),
    'batch-norm': (batch_norms, (64, 32, 32), 10, 0, False),
    'layer-norm': (over_time(lambda: nn.LayerNorm(512), 4), (128, 512), 10, 0, False),
    'attention': (over_time(lambda: Attention(False), 2), (256, 512), 10, 0, False),
    'attention-causal': (over_time(lambda: Attention(True), 2), (256, 512), 10, 0, False),
    'alexnet-one-tower': (one_tower, (3, 224, 224), 1000, 5e-4, False),
    'alexnet': (two_towers, (3, 227, 227), 1000, 5e-4, False),
}


# Where it is not 128, and the name does not end with it.
BATCHES = {'layer-norm': 64, 'attention': 16, 'attention-causal': 16}


def split(case):
    """The number at the end of a name is its batch."""
    name, _, batch = case.rpartition('-')
    return (*CASES[name], int(batch)) if batch.isdigit() else (*CASES[case], BATCHES.get(case, 128))


def prepared(case, device):
    make, shape, classes, decay, nesterov, batch = split(case)
    model = make().to(device)
    x, target = torch.randn(batch, *shape, device=device), torch.arange(batch, device=device) % classes
    if len(shape) == 3:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    options = {'momentum': 0.9, 'weight_decay': decay, 'nesterov': nesterov}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, fused=True, **options)
    return model, x, target, optimizer


def prepared_words(case, device):
    units, steps, dropout, _ = WORDS[case]
    x, target = torch.randint(10000, (2, steps, 20), device=device)
    model = Words(units, dropout).to(device)
    return model, x, target, torch.optim.SGD(model.parameters(), lr=1.0, fused=True)


def median_step_ms(case, precision, steps, device, mode):
    words = case in WORDS
    model, x, target, optimizer = (prepared_words if words else prepared)(case, device)
    # Whole graphs of the device, as ours are; on a CPU there are none.
    forward = model if mode == 'eager' else torch.compile(model, mode='reduce-overhead')

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=precision == 'bf16'):
            logits = forward(x)
        if words:
            loss = nn.functional.cross_entropy(logits.float().flatten(0, 1), target.flatten(), reduction='sum') / 20
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), WORDS[case][3])
        else:
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
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({'name': name, 'step': measured, 'memory': memory}), flush=True)
