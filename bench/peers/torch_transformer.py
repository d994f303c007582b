"""The transformerTranslator of lib/models in PyTorch, with packed projections and scaled_dot_product_attention; see torch_translators.py."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class SelfAttention(nn.Module):
    def __init__(self, features, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.all, self.out = nn.Linear(features, 3 * features), nn.Linear(features, features)

    def take(self, weights, path):
        parts = ('query', 'key', 'value')
        weights.put(self.all.weight, *(weights.of(f'{path}-{part}/w') for part in parts))
        query, value = (weights.of(f'{path}-{part}/b') for part in ('query', 'value'))
        # A bias of the keys changes nothing.
        weights.put(self.all.bias, query, torch.zeros_like(query), value)
        weights.linear(self.out, f'{path}-out')

    def forward(self, x, past=None, mask=None, causal=False):
        """x [N, T, F] over itself and, where there are, past keys and values [N, heads, T, F / heads]; also gives all of these."""
        q, k, v = self.all(x).view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        dropout = self.dropout if self.training else 0.0
        made = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, dropout_p=dropout)
        return self.out(made.transpose(1, 2).reshape(x.shape)), [k, v]


class SourceAttention(nn.Module):
    def __init__(self, features, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query, self.both, self.out = nn.Linear(features, features), nn.Linear(features, 2 * features), nn.Linear(features, features)

    def take(self, weights, path):
        weights.linear(self.query, f'{path}-query')
        weights.linear(self.out, f'{path}-out')
        weights.put(self.both.weight, *(weights.of(f'{path}-{part}/w') for part in ('key', 'value')))
        value = weights.of(f'{path}-value/b')
        weights.put(self.both.bias, torch.zeros_like(value), value)

    def read(self, annotations):
        """Keys and values [N, heads, S, F / heads]."""
        return list(self.both(annotations).view(*annotations.shape[:2], 2, self.heads, -1).permute(2, 0, 3, 1, 4))

    def forward(self, x, keys, values, mask):
        """x [N * beam, T, F]: the beams of a sentence are queries of the same keys."""
        q = self.query(x).view(len(keys), -1, self.heads, keys.shape[3]).transpose(1, 2)
        dropout = self.dropout if self.training else 0.0
        made = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask, dropout_p=dropout)
        return self.out(made.transpose(1, 2).reshape(x.shape))


class Layer(nn.Module):
    """Of either side; normalised before each part."""

    def __init__(self, config, writes):
        super().__init__()
        features, heads, dropout = config['features'], config['heads'], config['dropout']
        self.own = SelfAttention(features, heads, dropout)
        self.other = SourceAttention(features, heads, dropout) if writes else None
        self.norms = nn.ModuleList(nn.LayerNorm(features) for _ in range(3 if writes else 2))
        self.wide, self.narrow = nn.Linear(features, config['hidden']), nn.Linear(config['hidden'], features)
        self.drop = nn.Dropout(dropout)

    def take(self, weights, path):
        self.own.take(weights, path)
        if self.other is not None:
            self.other.take(weights, f'{path}-source')
        for i, norm in enumerate(self.norms):
            weights.norm(norm, f'{path}-norm{i + 1}')
        weights.linear(self.wide, f'{path}-wide')
        weights.linear(self.narrow, f'{path}-narrow')

    def forward(self, x, memory=None, past=None, **seen):
        made, after = self.own(self.norms[0](x), past, **seen)
        x = x + self.drop(made)
        if memory is not None:
            x = x + self.drop(self.other(self.norms[1](x), *memory))
        return x + self.drop(self.narrow(self.drop(torch.relu(self.wide(self.norms[-1](x)))))), after


class TransformerTranslator(nn.Module):
    """Vaswani et al. 2017, normalised before each part; sequences are [N, T]."""

    batch_first = True

    def __init__(self, config):
        super().__init__()
        self.features, half = config['features'], config['features'] // 2
        self.source, self.target = (nn.Embedding(config[side], self.features) for side in ('source', 'target'))
        self.readers, self.writers = (
            nn.ModuleList(Layer(config, writes) for _ in range(config['layers'])) for writes in (False, True)
        )
        self.last_read, self.last_written = nn.LayerNorm(self.features), nn.LayerNorm(self.features)
        self.drop = nn.Dropout(config['dropout'])
        angle = torch.arange(200)[:, None] / 10_000 ** (torch.arange(half) / half)
        self.register_buffer('positions', torch.cat([angle.sin(), angle.cos()], -1))

    def take(self, weights):
        for table in ('source', 'target'):
            weights.put(getattr(self, table).weight, weights.of(f'{table}/w'))
        for side, layers in (('reader', self.readers), ('writer', self.writers)):
            for i, layer in enumerate(layers):
                layer.take(weights, f'{side}{i + 1}')
        weights.norm(self.last_read, 'reader-norm')
        weights.norm(self.last_written, 'writer-norm')

    def embedded(self, table, words, first=0):
        scaled = table(words) * math.sqrt(self.features)
        return self.drop(scaled + self.positions[first : first + words.shape[1]])

    def memory(self, source, lengths):
        mask = (torch.arange(source.shape[1]) < lengths[:, None])[:, None, None]
        x = self.embedded(self.source, source)
        for layer in self.readers:
            x, _ = layer(x, mask=mask)
        x = self.last_read(x)
        return [one for layer in self.writers for one in layer.other.read(x)] + [mask]

    def words(self, x):
        return F.linear(x, self.target.weight)

    def written(self, source, lengths, before):
        *read, mask = self.memory(source, lengths)
        y = self.embedded(self.target, before)
        for i, layer in enumerate(self.writers):
            y, _ = layer(y, [*read[2 * i : 2 * i + 2], mask], causal=True)
        return self.last_written(y)

    def read(self, source, lengths):
        return [], self.memory(source, lengths)

    def write(self, word, states, memory):
        """The states are keys and values [N * beam, heads, T, F / heads] of each layer; none before the first word."""
        *read, mask = memory
        y, after = self.embedded(self.target, word.view(-1, 1), states[0].shape[2] if states else 0), []
        for i, layer in enumerate(self.writers):
            past = states[2 * i : 2 * i + 2] if states else None
            y, both = layer(y, [*read[2 * i : 2 * i + 2], mask], past)
            after += both
        return self.words(self.last_written(y[:, 0])), after
