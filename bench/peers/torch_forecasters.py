"""The networks of convolutional LSTMs of lib/models that predict frames, in PyTorch: what is given of all steps is convolved in one go, states
step by step. They take the weights of ours by their paths, and give the logits of the frames that follow and of what they predict besides.
"""
import torch
import torch.nn.functional as F
from torch import nn


class ConvLstmLayer(nn.Module):
    """One layer; `w` is absent where it is given nothing but the states that it starts from."""

    def __init__(self, tensors, path):
        super().__init__()
        for name in 'wubp':
            tensor = tensors.get(f'{path}/{name}')
            setattr(self, name, None if tensor is None else nn.Parameter(torch.tensor(tensor)))
        self.padding = self.u.shape[-1] // 2

    def forward(self, x, start, steps):
        h, c = start
        if self.w is not None:
            given = F.conv2d(x.flatten(0, 1), self.w, self.b, padding=self.padding).unflatten(0, x.shape[:2])
        outputs = []
        for t in range(steps):
            z = F.conv2d(h, self.u, self.b if self.w is None else None, padding=self.padding)
            i, f, g, o = (z if self.w is None else z + given[t]).chunk(4, 1)
            if self.p is not None:
                pi, pf, po = self.p[:, None, :, None, None]
                i, f = i + pi * c, f + pf * c
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            if self.p is not None:
                o = o + po * c
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs), (h, c)


class ConvLstmForecaster(nn.Module):
    def __init__(self, config, tensors):
        super().__init__()
        self.patch, self.future, self.channels = config['patch'], config['future'], config['layers']
        own = {path.removeprefix('convLstmForecaster/'): tensor for path, tensor in tensors.items()}
        places = range(1, len(self.channels) + 1)
        self.readers = nn.ModuleList(ConvLstmLayer(own, f'reader{i}') for i in places)
        self.writers = nn.ModuleList(ConvLstmLayer(own, f'writer{i}') for i in places)
        self.frame = nn.Parameter(torch.tensor(own['frame/w']))
        self.bias = nn.Parameter(torch.tensor(own['frame/b']))

    def forward(self, x):
        """[T, N, C, H, W] -> logits [future, N, C, H, W]"""
        steps, rows = x.shape[:2]
        x = F.pixel_unshuffle(x.flatten(0, 1), self.patch).unflatten(0, (steps, rows))
        states = []
        for layer, channels in zip(self.readers, self.channels):
            zero = x.new_zeros(rows, channels, *x.shape[3:])
            x, last = layer(x, (zero, zero), steps)
            states.append(last)
        above, outputs = None, []
        for layer, start in zip(self.writers, reversed(states)):
            above, _ = layer(above, start, self.future)
            outputs.append(above)
        logits = F.conv2d(torch.cat(outputs, 2).flatten(0, 1), self.frame, self.bias)
        return F.pixel_shuffle(logits, self.patch).unflatten(0, (self.future, rows)), None


class NextFrameConvLstm(nn.Module):
    def __init__(self, config, tensors):
        super().__init__()
        self.patch, self.future, self.channels = config['patch'], config['future'], config['layers']
        own = {path.removeprefix('nextFrameConvLstm/'): tensor for path, tensor in tensors.items()}
        self.layers = nn.ModuleList(ConvLstmLayer(own, f'layer{i + 1}') for i in range(len(self.channels)))
        self.frame = nn.Parameter(torch.tensor(own['frame/w']))
        self.bias = nn.Parameter(torch.tensor(own['frame/b']))

    def steps(self, x, states):
        outputs, last = [], []
        for layer, start in zip(self.layers, states):
            x, own = layer(x, start, len(x))
            outputs.append(x)
            last.append(own)
        logits = F.conv2d(torch.cat(outputs, 2).flatten(0, 1), self.frame, self.bias)
        return logits.unflatten(0, x.shape[:2]), last

    def forward(self, x):
        """[T, N, C, H, W] -> logits [future, N, C, H, W] and [T - 1, N, C, H, W]"""
        steps, rows = x.shape[:2]
        x = F.pixel_unshuffle(x.flatten(0, 1), self.patch).unflatten(0, (steps, rows))
        zeros = [x.new_zeros(rows, channels, *x.shape[3:]) for channels in self.channels]
        seen, states = self.steps(x, [(zero, zero) for zero in zeros])
        ahead = [seen[-1:]]
        while len(ahead) < self.future:
            logits, states = self.steps(torch.sigmoid(ahead[-1]), states)
            ahead.append(logits)

        def pixels(logits):
            return F.pixel_shuffle(logits.flatten(0, 1), self.patch).unflatten(0, logits.shape[:2])

        return pixels(torch.cat(ahead)), pixels(seen[:-1])


def forecaster(network, config, tensors):
    return {'convLstmForecaster': ConvLstmForecaster, 'nextFrameConvLstm': NextFrameConvLstm}[network](config, tensors)
