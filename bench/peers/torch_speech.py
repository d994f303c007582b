"""models.speech of ours in PyTorch, with what it has for speed: its own Fourier transform, fused layers over packed sequences. Sounds are rows
[N, S], the longest first; what follows is [T, N, ...]. The filters are ours, so that both sides let through the same. What is fixed is float64
until the module is brought to another type.
"""
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

WINDOWS = {
    'htk': lambda length: torch.hamming_window(length, periodic=False, dtype=torch.float64),
    'kaldi': lambda length: torch.hann_window(length, periodic=False, dtype=torch.float64) ** 0.85,
}
SCALE = 32768
EMPHASIS = 0.97


class FilterBanks(nn.Module):
    """nn.filterBanks of 25 ms frames each 10 ms, and so many orders of deltas as HTK has them: [N, S] -> [N, T, D]."""

    def __init__(self, banks, deltas, filters):
        super().__init__()
        self.kaldi, rate = banks['convention'] == 'kaldi', banks['rate']
        self.length, self.shift = rate * 25 // 1000, rate * 10 // 1000
        self.energy, self.deltas = banks.get('energy') == 'raw', deltas
        self.points = 1 << (self.length - 1).bit_length()
        self.floor = 2**-23 if self.kaldi else 1
        self.register_buffer('window', SCALE * WINDOWS[banks['convention']](self.length))
        # Ours stand once for cosines and once more for sines where squares are let through.
        filters = torch.tensor(filters, dtype=torch.float64).view(-1, banks['filters'])
        self.register_buffer('filters', filters[: self.points // 2 + 1].clone())

    def frames_of(self, samples):
        return (samples - self.length).div(self.shift, rounding_mode='floor') + 1

    def spectra(self, samples, frames):
        """Each sample less so much of the one before it; the first of a frame less so much of itself."""
        emphasised = nn.functional.pad(samples[:, 1:] - EMPHASIS * samples[:, :-1], (1, 0))
        wide = emphasised.unfold(1, self.length, self.shift) * self.window
        wide[..., 0] = frames[..., 0] * ((1 - EMPHASIS) * self.window[0])
        if self.kaldi:
            wide -= frames.mean(-1, keepdim=True) * ((1 - EMPHASIS) * self.window)
        return torch.fft.rfft(wide, self.points)

    def banks(self, samples):
        frames = samples.unfold(1, self.length, self.shift)
        spectra = self.spectra(samples, frames)
        seen = torch.view_as_real(spectra).square().sum(-1) if self.kaldi else spectra.abs()
        numbers = (seen @ self.filters).clamp(min=self.floor).log()
        if not self.energy:
            return numbers
        level = samples.square().unfold(1, self.length, self.shift).sum(-1, keepdim=True) * SCALE**2
        return torch.cat([numbers, level.clamp(min=2**-23).log()], -1)

    def slopes(self, x, there, last):
        """Beyond the ends of a row stands what is outermost."""
        if there is not None:
            x = torch.where(there, x, x.gather(1, last.expand(-1, 1, x.shape[2])))
        wide = torch.cat([x[:, :1], x[:, :1], x, x[:, -1:], x[:, -1:]], 1)
        return 0.1 * (wide[:, 3:-1] - wide[:, 1:-3]) + 0.2 * (wide[:, 4:] - wide[:, :-4])

    def forward(self, samples, lengths=None):
        """`lengths`: how many frames each row has, of those that are shorter."""
        all = [self.banks(samples)]
        there = last = None
        if lengths is not None:
            there = (torch.arange(all[0].shape[1]) < lengths[:, None])[..., None]
            last = (lengths - 1)[:, None, None]
        for _ in range(self.deltas):
            all.append(self.slopes(all[-1], there, last))
        return torch.cat(all, -1)


class Speech(nn.Module):
    """Layers of nn.LSTM in both directions over packed rows: normalised numbers -> logarithms of the probabilities of symbols [T, N, K]."""

    def __init__(self, config, filters):
        super().__init__()
        features, self.layers, units = config['features'], config['layers'], config['units']
        self.front = FilterBanks(features['banks'], features['deltas'], filters)
        mean, deviation = (torch.tensor(features['moments'][name], dtype=torch.float64) for name in ('mean', 'deviation'))
        self.register_buffer('mean', mean)
        self.register_buffer('inverse', 1 / deviation)
        self.lstm = self.fused(len(mean), units)
        self.choice = nn.Linear(2 * units, config['classes'])

    def fused(self, inputs, units):
        return nn.LSTM(inputs, units, self.layers, bidirectional=True)

    def each(self):
        """Of each layer in each direction: our path, and where its weights lie."""
        for i in range(self.layers):
            yield f'bidirectional{i + 1}/lstm1', self.lstm, f'_l{i}'
            yield f'bidirectional{i + 1}/lstm2', self.lstm, f'_l{i}_reverse'

    def take(self, weights):
        for path, layer, suffix in self.each():
            weights.recurrent(layer, f'speech/{path}', suffix)
        weights.linear(self.choice, 'speech/linear1')

    def numbers(self, samples, lengths):
        """Normalised, [T, N, D]."""
        return ((self.front(samples, lengths) - self.mean) * self.inverse).transpose(0, 1)

    def head(self, x):
        chosen = self.choice(x)
        return chosen.log_softmax(-1, dtype=torch.promote_types(chosen.dtype, torch.float32))

    def forward(self, numbers, lengths):
        read = self.lstm(pack_padded_sequence(numbers, lengths))[0]
        return pad_packed_sequence(PackedSequence(self.head(read.data), *read[1:]))[0]


class PaddedSpeech(Speech):
    """The same over rows as they are padded, for which a CPU has oneDNN's LSTM: a layer reads each row forwards, another the row turned round."""

    def fused(self, inputs, units):
        return nn.ModuleList(nn.LSTM(inputs if i < 2 else 2 * units, units) for i in range(2 * self.layers))

    def each(self):
        for i, layer in enumerate(self.lstm):
            yield f'bidirectional{i // 2 + 1}/lstm{i % 2 + 1}', layer, '_l0'

    def forward(self, x, lengths):
        steps, rows = x.shape[:2]
        places = torch.arange(steps)[:, None]
        turned = torch.where(places < lengths, lengths - 1 - places, places) * rows + torch.arange(rows)

        def turn(y):
            return y.flatten(0, 1).index_select(0, turned.flatten()).view(steps, rows, -1)

        for ahead, back in zip(self.lstm[::2], self.lstm[1::2]):
            x = torch.cat([ahead(x)[0], turn(back(turn(x))[0])], -1)
        return self.head(x)
