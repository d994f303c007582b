"""The translators of lib/models in PyTorch, with what it has for speed: fused layers over packed sequences. Each takes the weights of ours by
their paths. `written` and then `words` are for training; `read` and `write` are word by word, for several continuations of each sentence, which
share what was read of it. Sentences are sorted, the longest first.
"""
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from torch_transformer import TransformerTranslator


class Weights:
    """Puts tensors by path into parameters."""

    def __init__(self, tensors):
        self.tensors = tensors

    def of(self, path):
        return torch.tensor(self.tensors[path])

    def put(self, parameter, *parts):
        with torch.no_grad():
            parameter.copy_(torch.cat(parts) if len(parts) > 1 else parts[0])

    def linear(self, layer, path):
        self.put(layer.weight, self.of(f'{path}/w'))
        if layer.bias is not None:
            self.put(layer.bias, self.of(f'{path}/b'))

    def norm(self, layer, path):
        self.put(layer.weight, self.of(f'{path}/scale'))
        self.put(layer.bias, self.of(f'{path}/shift'))

    def recurrent(self, layer, path, suffix=''):
        """Of an LSTM, which has one bias with us, the second stays zero."""
        self.put(getattr(layer, f'weight_ih{suffix}'), self.of(f'{path}/w'))
        self.put(getattr(layer, f'weight_hh{suffix}'), self.of(f'{path}/u').T)
        self.put(getattr(layer, f'bias_ih{suffix}'), self.of(f'{path}/b'))
        other = getattr(layer, f'bias_hh{suffix}')
        if f'{path}/br' in self.tensors:
            self.put(other, self.of(f'{path}/br'))
        else:
            self.put(other, torch.zeros_like(other))
            other.requires_grad_(False)


class LstmTranslator(nn.Module):
    """Sutskever, Vinyals & Le 2014. The source is given from its last word to its first."""

    batch_first = False

    def __init__(self, config):
        super().__init__()
        embedding, units, self.layers = config['embedding'], config['units'], config['layers']
        self.source = nn.Embedding(config['source'], embedding, padding_idx=0)
        self.target = nn.Embedding(config['target'], embedding, padding_idx=0)
        self.reader = nn.LSTM(embedding, units, self.layers, dropout=config['dropout'])
        self.writer = nn.LSTM(embedding, units, self.layers, dropout=config['dropout'])
        self.words, self.drop = nn.Linear(units, config['target']), nn.Dropout(config['dropout'])

    def take(self, weights):
        for table in ('source', 'target'):
            weights.put(getattr(self, table).weight, weights.of(f'{table}/w'))
        for i in range(self.layers):
            weights.recurrent(self.reader, f'reader{i + 1}', f'_l{i}')
            weights.recurrent(self.writer, f'writer{i + 1}', f'_l{i}')
        weights.linear(self.words, 'words')

    def states(self, source, lengths):
        return self.reader(pack_padded_sequence(self.drop(self.source(source)), lengths))[1]

    def written(self, source, lengths, before):
        return self.drop(self.writer(self.drop(self.target(before)), self.states(source, lengths))[0])

    def read(self, source, lengths):
        """States [N, ...] of each layer, and nothing to look at."""
        return [one for pair in zip(*self.states(source, lengths)) for one in pair], []

    def write(self, word, states, memory):
        x, after = self.target(word.flatten()), []
        for i, (h, c) in enumerate(zip(states[::2], states[1::2])):
            x, c = torch.lstm_cell(x, (h, c), *self.writer._flat_weights[4 * i : 4 * i + 4])
            after += [x, c]
        return self.words(x), after


class AttentionTranslator(nn.Module):
    """Bahdanau, Cho & Bengio 2015. The writer is a loop of GRUCell."""

    batch_first = False

    def __init__(self, config):
        super().__init__()
        embedding, units, dropout = config['embedding'], config['units'], config['dropout']
        assert config['attention'] == 'additive'
        self.source, self.target = nn.Embedding(config['source'], embedding, padding_idx=0), nn.Embedding(config['target'], embedding)
        self.reader = nn.GRU(embedding, units, bidirectional=True)
        self.first, self.keys = nn.Linear(2 * units, units), nn.Linear(2 * units, units)
        self.query, self.score = nn.Linear(units, units, bias=False), nn.Linear(units, 1, bias=False)
        self.writer = nn.GRUCell(embedding + 2 * units, units)
        self.joined = nn.Linear(embedding + 3 * units, embedding)
        self.bias = nn.Parameter(torch.zeros(config['target']))
        self.drop_words, self.drop_read, self.drop_written = (
            nn.Dropout(dropout[name]) for name in ('embedding', 'reading', 'writing')
        )

    def take(self, weights):
        for table in ('source', 'target'):
            weights.put(getattr(self, table).weight, weights.of(f'{table}/w'))
        weights.recurrent(self.reader, 'reader/forward', '_l0')
        weights.recurrent(self.reader, 'reader/backward', '_l0_reverse')
        weights.recurrent(self.writer, 'writer')
        for name in ('first', 'keys', 'query', 'score', 'joined'):
            weights.linear(getattr(self, name), name)
        weights.put(self.bias, weights.of('words/b'))

    def read(self, source, lengths):
        """The first state [N, H]; annotations [N, S, 2 H], keys [N, 1, S, H] and, of what is padding, True [N, 1, S]."""
        packed, _ = self.reader(pack_padded_sequence(self.drop_words(self.source(source)), lengths))
        annotations = self.drop_read(pad_packed_sequence(packed, batch_first=True)[0].contiguous())
        lengths = lengths.to(torch.int64)[:, None]
        h = torch.tanh(self.first(annotations.sum(1) / lengths))
        padding = torch.arange(annotations.shape[1]) >= lengths
        return [h], [annotations, self.keys(annotations)[:, None], padding[:, None]]

    def step(self, y, h, annotations, keys, padding):
        """Embedded words and states [N * beam, ...] -> what the words are chosen from, and the states after them."""
        n, s = len(annotations), annotations.shape[1]
        scores = self.score(torch.tanh(keys + self.query(h).view(n, -1, 1, h.shape[1])))
        weights = torch.softmax(scores.view(n, -1, s).float().masked_fill(padding, -1e30), -1)
        context = torch.bmm(weights, annotations).view(len(h), -1)
        h = self.writer(torch.cat([y, context], -1), h)
        return torch.tanh(self.joined(torch.cat([y, h, context], -1))), h

    def words(self, x):
        return F.linear(x, self.target.weight, self.bias)

    def written(self, source, lengths, before):
        (h,), memory = self.read(source, lengths)
        written = []
        for y in self.drop_words(self.target(before)).unbind(0):
            made, h = self.step(y, h, *memory)
            written.append(made)
        return self.drop_written(torch.stack(written))

    def write(self, word, states, memory):
        made, h = self.step(self.target(word.flatten()), states[0], *memory)
        return self.words(made), [h]


NETWORKS = {'lstm': LstmTranslator, 'attention': AttentionTranslator, 'transformer': TransformerTranslator}


def translator(task, tensors):
    """The network of a task with our weights."""
    model = NETWORKS[task['network']](task['config'])
    model.take(Weights(tensors))
    return model


def as_read(model, config, source, lengths):
    """Sentences [S, N], padded behind their ends, as the network takes them."""
    if config.get('reversed'):
        places = torch.arange(len(source))[:, None]
        source = source.gather(0, torch.where(places < lengths, lengths - 1 - places, places))
    return source.T.contiguous() if model.batch_first else source.contiguous()
