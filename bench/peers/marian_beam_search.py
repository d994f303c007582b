#!/usr/bin/env python3
"""Hugging Face's side of bench/translation/search.mjs: marian_beam_search.py FOLDER MODE.

`generate` of a MarianMTModel with the extents of our Transformer, random weights and its cache of keys and values. No word ends a translation, so
that each is as long as the task says, and the work is that of the other side.
"""
import json
import sys
import time

import torch
import transformers
from transformers import MarianConfig, MarianMTModel

from turns import peak_memory, take_turns


def model_of(config):
    side = {'layers': config['layers'], 'attention_heads': config['heads'], 'ffn_dim': config['hidden']}
    extents = {f'{name}_{key}': value for name in ('encoder', 'decoder') for key, value in side.items()}
    return MarianMTModel(MarianConfig(
        vocab_size=config['target'], d_model=config['features'], **extents, activation_function='relu', scale_embedding=True,
        max_position_embeddings=200, pad_token_id=0, decoder_start_token_id=1, eos_token_id=None, forced_eos_token_id=None,
    ))


def in_batches(sentences, rows):
    """Of sentences that have as many words to write."""
    batches = []
    for one in sentences:
        if not batches or len(batches[-1]) == rows or batches[-1][0]['longest'] != one['longest']:
            batches.append([])
        batches[-1].append(one)
    return batches


def main():
    folder, _ = sys.argv[1:]
    with open(f'{folder}/task.json') as file:
        task = json.load(file)
    torch.set_num_threads(task['threads'])
    model = model_of(task['config']).eval()
    sentences = task['sentences'][::-1]
    def some(batch):
        lengths = torch.tensor([len(one['words']) for one in batch])
        words = torch.nn.utils.rnn.pad_sequence([torch.tensor(one['words']) for one in batch], batch_first=True)
        mask = (torch.arange(words.shape[1]) < lengths[:, None]).long()
        return model.generate(
            input_ids=words, attention_mask=mask, num_beams=task['beam'], max_new_tokens=batch[0]['longest'], do_sample=False,
            use_cache=True, eos_token_id=None, forced_eos_token_id=None, bad_words_ids=None,
        )[:, 1:]

    @torch.inference_mode()
    def turn(rows):
        start = time.perf_counter()
        found = [line for batch in in_batches(sentences, rows) for line in some(batch).tolist()]
        return {'seconds': time.perf_counter() - start, 'found': found[::-1], 'memory': peak_memory()}

    take_turns({'name': f'transformers {transformers.__version__}, torch {torch.__version__}', 'random': True}, turn)


if __name__ == '__main__':
    main()
