#!/usr/bin/env python3
"""PyTorch's side of bench/translation/search.mjs: torch_beam_search.py FOLDER MODE, where MODE is `eager` or `compiled`.

Beam search over many sentences at once, with the rules of lib/infer/hypotheses.ts: states, words and scores are tensors, there is no loop over
beams or sentences. Batches are of about one length; sentences that are done are taken out of them.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F

from tensor_file import read_tensors
from torch_translators import as_read, translator
from turns import peak_memory, take_turns

NEVER = -1e30


class Ended:
    """Of each sentence the best `beam` that have ended, the best first: scores, words, and how many words."""

    def __init__(self, scores, words, lengths):
        self.scores, self.words, self.lengths = scores, words, lengths

    def rows(self, index):
        return Ended(self.scores[index], self.words[index], self.lengths[index])

    def add(self, scores, words):
        """Scores [N, C], -inf of what has not ended, and words [N, C, t], an end among them."""
        beam, t = self.scores.shape[1], words.shape[2]
        self.scores, place = torch.cat([self.scores, scores], 1).topk(beam)
        padded = F.pad(words, (0, self.words.shape[2] - t))
        self.words = torch.cat([self.words, padded], 1).gather(1, place[..., None].expand(-1, -1, padded.shape[2]))
        lengths = torch.full(scores.shape, t - 1, dtype=torch.int64)
        self.lengths = torch.cat([self.lengths, lengths], 1).gather(1, place)


def none_ended(sentences, beam, longest):
    scores = torch.full((sentences, beam), -torch.inf)
    return Ended(scores, torch.zeros(sentences, beam, longest, dtype=torch.int64), torch.zeros(sentences, beam, dtype=torch.int64))


def best(ended, words):
    """The best of each sentence: what has ended before what has not."""
    has, lengths = ended.scores[:, 0].isfinite().tolist(), ended.lengths[:, 0].tolist()
    lines = zip(has, lengths, ended.words[:, 0].tolist(), words[:, 0].tolist())
    return [line[:length] if one else going for one, length, line, going in lines]


def search(model, task, source, lengths, longest):
    """Sentences as the network reads them, and the most words [N] of each -> words of the best translation of each."""
    n, beam, end = len(lengths), task['beam'], task['end']
    states, memory = model.read(source, lengths)
    states = [one.repeat_interleave(beam, 0) for one in states]
    word = torch.full((n, beam), task['begin'])
    score = torch.tensor([0.0] + [NEVER] * (beam - 1)).repeat(n, 1)
    words = torch.empty(n, beam, 0, dtype=torch.int64)
    barred = torch.tensor(task['never'])
    ended, left, found = none_ended(n, beam, int(longest.max())), torch.arange(n), [None] * n
    for t in range(1, int(longest.max()) + 1):
        logits, states = model.write(word, states, memory)
        each = torch.log_softmax(logits.float(), -1).index_fill_(1, barred, NEVER).view(len(left), beam, -1)
        vocabulary = each.shape[2]
        values, index = each.add_(score[..., None]).view(len(left), -1).topk(2 * beam)
        parents, following = index // vocabulary, index % vocabulary
        is_end = following == end
        if is_end.any():
            lines = words.gather(1, parents[..., None].expand(-1, -1, t - 1))
            ranked = torch.where(is_end & (values > NEVER / 10), values / t, -torch.inf)
            ended.add(ranked, torch.cat([lines, following[..., None]], 2))
        score, place = values.masked_fill(is_end, 2 * NEVER).topk(beam)
        parents, word = parents.gather(1, place), following.gather(1, place)
        words = torch.cat([words.gather(1, parents[..., None].expand(-1, -1, t - 1)), word[..., None]], 2)
        rows = parents + torch.arange(len(left))[:, None] * beam
        done = (score[:, 0] / t <= ended.scores[:, -1]) | (longest <= t)
        if done.any():
            gone = done.nonzero()[:, 0]
            for i, line in zip(left[gone].tolist(), best(ended.rows(gone), words[gone])):
                found[i] = line
            going = (~done).nonzero()[:, 0]
            if len(going) == 0:
                break
            ended = ended.rows(going)
            memory = [one.index_select(0, going) for one in memory]
            left, longest, word, score, words, rows = (x[going] for x in (left, longest, word, score, words, rows))
        states = [one.index_select(0, rows.flatten()) for one in states]
    return found


def main():
    folder, mode = sys.argv[1:]
    with open(f'{folder}/task.json') as file:
        task = json.load(file)
    torch.set_num_threads(task['threads'])
    model = translator(task, read_tensors(f'{folder}/weights.safetensors')).eval()
    if mode == 'compiled':
        torch._dynamo.config.recompile_limit = 64
        model.write = torch.compile(model.write, dynamic=True)
    # The longest first, as packed sequences like it.
    sentences = task['sentences'][::-1]

    def some(batch):
        lengths = torch.tensor([len(one['words']) for one in batch])
        source = torch.nn.utils.rnn.pad_sequence([torch.tensor(one['words']) for one in batch])
        longest = torch.tensor([one['longest'] for one in batch])
        return search(model, task, as_read(model, task['config'], source, lengths), lengths, longest)

    @torch.inference_mode()
    def turn(rows):
        start = time.perf_counter()
        found = [line for first in range(0, len(sentences), rows) for line in some(sentences[first : first + rows])]
        return {'seconds': time.perf_counter() - start, 'found': found[::-1], 'memory': peak_memory()}

    take_turns({'name': 'torch ' + torch.__version__ + ('' if mode == 'eager' else ' ' + mode)}, turn)


if __name__ == '__main__':
    main()
