// Translation, German to English, of descriptions of photographs: the lecture's two LSTM networks, the attention that came a year later, and the
// Transformer of today. The numbers are of the test part of 2016, measured once, at the end.
import { type FieldSpec, type LinePairs, type Tokenizer, Words } from '../data/index.js'
import { ofDType, type Tensor, traceMode } from '../graph/index.js'
import {
  attentionTranslator,
  lstmTranslator,
  ownWordLogits,
  smallAttentionTranslator,
  smallLstmTranslator,
  smallTransformerTranslator,
  transformerTranslator,
  type Translator,
} from '../models/index.js'
import * as nn from '../nn/index.js'
import { add, cast, mul, sequenceMask, sum, zeros } from '../ops/index.js'
import * as optim from '../optim/index.js'
import { measures, type Objective } from '../train/index.js'
import { multi30kSource, subwordsOf } from './data-sources.js'
import { chosen, type Recipe, type SearchPlan, type Target } from './recipe.js'

/** Pairs of Multi30k to train on. */
const pairs = 29_000

interface Translation {
  readonly name: string
  readonly title: string
  readonly paper: string
  readonly target: Target
  readonly tokenized: (train: LinePairs) => Readonly<Record<'source' | 'target', Tokenizer>>
  /** Different tokens of Multi30k's training part. */
  readonly sizes: { readonly source: number; readonly target: number }
  readonly net: (sizes: { readonly source: number; readonly target: number }) => Translator
  /** Share of the target that is spread over all words alike. */
  readonly smoothing: number
  /** Share of the words that the network is fed in training which are its own. */
  readonly ownWords: number
  readonly optimizer: (rate: number, total: number) => optim.Optimizer
  readonly epochs: number
  readonly batch: number
  readonly rate: number
  readonly search: SearchPlan
}

const info = { better: 'less', format: { digits: 2 }, title: 'perplexity' } as const

/** -log p of the words of translations and their ends; what is told beside it is of the true words alone, without smoothing. */
function objectiveOf(net: Translator, smoothing: number, ownWords: number): Objective {
  return (fields) => {
    const [source, input, target, sourceLengths, targetLengths] = [
      ...['source', 'input', 'target', 'sourceLengths', 'targetLengths'],
    ].map((name) => fields[name]) as [Tensor<'i32'>, Tensor<'i32'>, Tensor<'i32'>, Tensor<'i32'>, Tensor<'i32'>]
    const logits =
      ownWords > 0 && traceMode() === 'train'
        ? ownWordLogits(net, source, sourceLengths, input, ownWords)
        : net.logits(source, sourceLengths, input)
    const mask = sequenceMask(targetLengths, target.shape[0] ?? 1)
    const count: Tensor<'f32'> = sum(cast(mask, 'f32'))
    const loss = nn.crossEntropy(logits, target, { mask, smoothing })
    const plain = smoothing === 0 ? loss : nn.crossEntropy(logits, target, { mask })
    return {
      loss: { sum: mul(loss, count), count },
      perplexity: measures.host({
        ...info,
        outputs: { sum: mul(plain, count), count },
        tally: () => {
          let [total, words] = [0, 0]
          return {
            add: (batch) => {
              total += batch.sum[0]!
              words += batch.count[0]!
            },
            value: () => Math.exp(total / words),
          }
        },
      }),
      accuracy: measures.accuracy(logits, target, cast(mask, 'f32')),
    }
  }
}

/** A field of a sentence of so many words, as `ostrich summary` and `profile` see it. */
const words = { dtype: 'i32', shape: [24], batchAxis: 1, varies: true } as const satisfies FieldSpec
const length: FieldSpec = { dtype: 'i32', shape: [] }

function recipe(of: Translation): Recipe {
  const { name, title, paper, target } = of
  return {
    ...{ name, title, paper, target },
    data: multi30kSource(of.tokenized),
    build(options = {}) {
      const {
        epochs = of.epochs,
        batch = of.batch,
        rate = of.rate,
        languages = { pairs, ...of.sizes },
      } = chosen(options)
      const translator = of.net({ source: languages.source, target: languages.target })
      const total = Math.max(20, epochs * Math.ceil(languages.pairs / batch))
      return {
        // A translation of as many words as the source has; of padding alone a network would read no word from its table.
        net: (x) => translator.logits(ofDType(x, 'i32', name), full(x), cast(add(zeros([...x.shape]), 1), 'i32')),
        translator,
        search: of.search,
        loss: nn.crossEntropy,
        objective: objectiveOf(translator, of.smoothing, of.ownWords),
        infos: { perplexity: info, accuracy: measures.accuracy },
        optimizer: of.optimizer(rate, total),
        batch,
        epochs,
        rate,
        unit: 'pairs',
        example: words,
        fields: { source: words, input: words, target: words, sourceLengths: length, targetLengths: length },
      }
    },
  }
}

/** i32 [N]: as many words as there are steps. */
const full = ({ shape: [steps = 1, rows = 1] }: Tensor): Tensor<'i32'> => cast(add(zeros([rows]), steps), 'i32')

/** Words that are there twice or more, in lower case; all others are unknown. */
function wordsOf({ source, target }: LinePairs): Readonly<Record<'source' | 'target', Tokenizer>> {
  const own = (lines: readonly string[]) => Words.of(lines, { least: 2, lowercase: true })
  return { source: own(source), target: own(target) }
}

/** One network reads, another writes. */
const twoNetworks = {
  paper: 'Sutskever, Vinyals & Le 2014, "Sequence to sequence learning with neural networks"',
  target: { metric: 'test perplexity', of: 'ownPerplexity', value: 43.8 },
  tokenized: wordsOf,
  sizes: { source: 8061, target: 6001 },
  smoothing: 0,
  ownWords: 0.5,
  optimizer: (rate, total) => optim.adam({ rate: optim.oneCycle(rate, { total, rise: 0.1 }), clipNorm: 1 }),
  ...{ epochs: 15, batch: 64, rate: 0.001 },
  search: { beam: 5, lengthPenalty: 'mean' },
} as const satisfies Partial<Translation>

/** The lecture's own: the source is read from its end. */
export const translateLstm = recipe({
  ...twoNetworks,
  name: 'translate-lstm',
  title: 'Two LSTM networks translate German into English: one reads, from the end, one writes',
  net: (sizes) => lstmTranslator({ ...smallLstmTranslator, ...sizes }),
})

/** The same, from the source's start on: what the paper compares it with. */
export const translateLstmForward = recipe({
  ...twoNetworks,
  name: 'translate-lstm-forward',
  title: 'Two LSTM networks translate German into English: one reads, from the start, one writes',
  net: (sizes) => lstmTranslator({ ...smallLstmTranslator, ...sizes, reversed: false }),
})

/** Subwords of both sides together, smoothed labels, and the true words alone to go on from. */
const bySubwords = {
  ...{ tokenized: subwordsOf, sizes: { source: 5260, target: 5260 } },
  ...{ smoothing: 0.1, ownWords: 0 },
}

/** A bidirectional network reads, and the writer looks at all that was read. */
export const translateAttention = recipe({
  name: 'translate-attention',
  title: 'A network that looks at the source for each word translates German into English',
  paper: 'Bahdanau, Cho & Bengio 2015, "Neural machine translation by jointly learning to align and translate"',
  target: { metric: 'BLEU', of: 'bleu', value: 34 },
  ...bySubwords,
  net: (sizes) => attentionTranslator({ ...smallAttentionTranslator, ...sizes, shared: true }),
  optimizer: (rate, total) => optim.adam({ rate: optim.oneCycle(rate, { total, rise: 0.1 }), clipNorm: 1 }),
  ...{ epochs: 35, batch: 64, rate: 0.001 },
  search: { beam: 5, lengthPenalty: 'gnmt' },
})

/** Attention alone. */
export const translateTransformer = recipe({
  name: 'translate-transformer',
  title: 'A small Transformer translates German into English',
  paper: 'Vaswani et al. 2017, "Attention is all you need"',
  target: { metric: 'BLEU', of: 'bleu', value: 36.5 },
  ...bySubwords,
  net: (sizes) => transformerTranslator({ ...smallTransformerTranslator, ...sizes, shared: true }),
  optimizer: (rate, total) =>
    optim.adam({ rate: optim.oneCycle(rate, { total, rise: 0.1 }), beta2: 0.98, clipNorm: 1 }),
  ...{ epochs: 40, batch: 128, rate: 0.003 },
  search: { beam: 5, lengthPenalty: 'mean' },
})
