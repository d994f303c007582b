"""The networks of lib/models/house-numbers.ts in PyTorch, without dropout, and the loss of their six heads."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Convolution(nn.Module):
    """A convolution, and what stands between it and the next."""

    def __init__(self, config, i, inputs):
        super().__init__()
        units, kernel = config['units'][i], config['kernel']
        self.pieces = config['pieces'] if i == 0 else 1
        self.stride = config['pools'][i]
        batch = config['normalise'] == 'batch'
        self.filters = nn.Conv2d(inputs, units * self.pieces, kernel, padding=kernel // 2, bias=not batch)
        self.norm = nn.BatchNorm2d(units) if batch else None

    def forward(self, x):
        x = self.filters(x)
        if self.pieces > 1:
            x = x.unflatten(1, (-1, self.pieces)).amax(2)
        if self.norm is not None:
            x = self.norm(x)
        if self.pieces == 1:
            x = F.relu(x)
        if self.stride == 2:
            x = F.max_pool2d(x, 2, 2, ceil_mode=True)
        elif self.stride == 1:
            x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 2, 1)
        return x if self.norm is not None else x - F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


class Local(nn.Module):
    """A convolution with other weights at each place."""

    def __init__(self, inputs, units, kernel, size):
        super().__init__()
        self.kernel = kernel
        self.weight = nn.Parameter(torch.empty(size, size, units, inputs * kernel * kernel))
        self.bias = nn.Parameter(torch.empty(units, size, size))

    def forward(self, x):
        windows = F.unfold(x, self.kernel, padding=self.kernel // 2)
        height, width, units, _ = self.weight.shape
        y = windows.permute(2, 0, 1) @ self.weight.flatten(0, 1).transpose(1, 2)
        return y.permute(1, 2, 0).reshape(-1, units, height, width) + self.bias


class HouseNumbers(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.standardised = config['images'] == 'standardised'
        inputs, size, steps = 3, config['side'], []
        for i, units in enumerate(config['units']):
            steps.append(Convolution(config, i, inputs))
            inputs = units
            size = -(-size // 2) if config['pools'][i] == 2 else size
        self.convolutions = nn.ModuleList(steps)
        self.local = Local(inputs, config['local'], config['kernel'], size) if config['local'] else None
        features, dense = (config['local'] or inputs) * size * size, []
        for units in config['hidden']:
            dense.append(nn.Linear(features, units))
            features = units
        self.dense = nn.ModuleList(dense)
        self.heads = nn.Linear(features, 57)

    def forward(self, x):
        x = x - x.mean((1, 2, 3), keepdim=True)
        if self.standardised:
            x = x / torch.sqrt((x * x).mean((1, 2, 3), keepdim=True) + 1e-4)
        for convolution in self.convolutions:
            x = convolution(x)
        if self.local is not None:
            x = F.relu(self.local(x))
        # Features in our order, whatever the layout.
        x = x.contiguous().flatten(1)
        for layer in self.dense:
            x = F.relu(layer(x))
        return self.heads(x)

    def take(self, weights):
        """Weights by our paths."""
        plain = 0
        for i, step in enumerate(self.convolutions, 1):
            plain += step.pieces == 1
            weights.linear(step.filters, 'house-numbers/' + ('maxout1/pieces' if step.pieces > 1 else f'conv{plain}'))
            if step.norm is not None:
                weights.norm(step.norm, f'house-numbers/batchNorm{i}')
        if self.local is not None:
            weights.linear(self.local, 'house-numbers/local1')
        for i, layer in enumerate(self.dense, 1):
            weights.linear(layer, f'house-numbers/linear{i}')
        weights.linear(self.heads, 'house-numbers/heads')


def number_loss(logits, length, digits, mask):
    """-log p of the length and of the digits that are there, a mean over images."""
    logits = logits.to(torch.float64 if logits.dtype == torch.float64 else torch.float32)
    each = F.cross_entropy(logits[:, 7:].reshape(-1, 10), digits.flatten(), reduction='none').view_as(mask)
    return (F.cross_entropy(logits[:, :7], length, reduction='none') + (each * mask).sum(1)).mean()
