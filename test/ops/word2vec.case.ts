// Steps of word2vec: both models, both losses, windows and sentences of several lengths, words that are left out, scores beyond 6.
import { ops } from '../../lib/index.js'
import { huffmanCodes } from '../../lib/data/index.js'
import type { DType, Tensor } from '../../lib/graph/index.js'
import { apply, input, type OpCase, opCase, type Refusal, type Sample, type Tolerance } from '../support/op-case.js'
import { type Draw, exactly, integers, uniform } from '../support/random.js'
import { type Word2vecAttrs, word2vecOutputs } from '../support/word2vec.js'

interface Text {
  readonly words: number
  readonly width: number
  readonly tokens: Draw
  readonly length: number
  readonly attrs?: Partial<Word2vecAttrs>
  readonly kept?: Draw
  readonly table?: Draw
}

const noGradient = 'it is a whole training step'
const small: Word2vecAttrs = { model: 'skipGram', window: 2, longest: 1000, stream: 7 }
/** Sentences of 0 to some words. */
const sentences: Draw = (shape, random) => integers(-1, 9)(shape, random)

function sample(name: string, text: Text, isTree: boolean): Sample {
  const { words, width, length } = text
  const table = text.table ?? uniform(-1, 1)
  const { starts, bits, nodes } = huffmanCodes(Array.from({ length: words }, (_, i) => 3 * words - i))
  const codes = Array.from(nodes, (node, i) => 2 * node + bits[i]!)
  const rows = isTree ? words - 1 : words
  const among = isTree
    ? [input('i32', [words + 1], exactly(...starts)), input('i32', [codes.length], exactly(...codes))]
    : [input('f32', [words], uniform(0, 1)), input('i32', [words], integers(0, words))]
  const attrs = { ...small, ...(isTree ? {} : { negatives: 5 }), ...text.attrs }
  return {
    name,
    inputs: [
      input('f32', [words, width], table),
      input('f32', [rows, width], table),
      input('i32', [length], text.tokens),
      input('f32', [words], text.kept ?? exactly(...Array<number>(words).fill(1))),
      ...among,
      input('f32', [], exactly(0.0625)),
      input('i32', [2], exactly(11, -5)),
      input('i32', [], exactly(3)),
    ],
    build: apply(isTree ? 'word2vecTree' : 'word2vec', attrs),
    outputs: [`f32[${words}, ${width}]`, `f32[${rows}, ${width}]`, 'f32[]', 'f32[]'],
    noGradient,
  }
}

const tolerance: Tolerance = {
  f32: 2 ** -17,
  bf16: 2 ** -17,
  relativeTo: 'tensor',
  reason: 'each word works on what the ones before it left, in f32; tables are f32 in every precision',
}

const texts = (isTree: boolean): Sample[] =>
  (
    [
      ['a few words', { words: 10, width: 4, tokens: exactly(1, 2, 3, 4, 9), length: 5 }],
      ['sentences, one of one word', { words: 10, width: 5, tokens: exactly(1, 2, -1, -1, 7, -1, 3, 3, 0), length: 9 }],
      ['many words', { words: 10, width: 37, tokens: sentences, length: 120, attrs: { window: 5 } }],
      [
        'a mean of words',
        { words: 10, width: 23, tokens: sentences, length: 120, attrs: { model: 'cbow', window: 5 } },
      ],
      ['a wide window', { words: 30, width: 16, tokens: integers(0, 30), length: 60, attrs: { window: 12 } }],
      [
        'a mean of a wide window',
        { words: 30, width: 20, tokens: integers(0, 30), length: 60, attrs: { model: 'cbow', window: 20 } },
      ],
      ['short sentences', { words: 10, width: 8, tokens: integers(0, 10), length: 50, attrs: { longest: 3 } }],
      ['words that are left out', { words: 10, width: 8, tokens: sentences, length: 100, kept: uniform(0.2, 0.9) }],
      ['large scores', { words: 10, width: 16, tokens: sentences, length: 30, table: uniform(-3, 3) }],
      ['no two words', { words: 10, width: 3, tokens: exactly(-1, 4, -1), length: 3 }],
    ] satisfies [string, Text][]
  ).map(([name, text]) => sample(name, text, isTree))

const types = (...listed: readonly (readonly [DType, ...number[]])[]): Refusal['inputs'] =>
  listed.map(([dtype, ...shape]) => ({ dtype, shape }))
const sampledTypes = types(
  ['f32', 5, 3],
  ['f32', 5, 3],
  ['i32', 9],
  ['f32', 5],
  ['f32', 5],
  ['i32', 5],
  ['f32'],
  ['i32', 2],
  ['i32'],
)
const treeTypes = types(
  ['f32', 5, 3],
  ['f32', 4, 3],
  ['i32', 9],
  ['f32', 5],
  ['i32', 6],
  ['i32', 12],
  ['f32'],
  ['i32', 2],
  ['i32'],
)
const instead = (all: Refusal['inputs'], at: number, ...type: readonly [DType, ...number[]]): Refusal['inputs'] =>
  all.with(at, types(type)[0]!)

function refusals(name: string, all: Refusal['inputs'], attrs: Word2vecAttrs): Refusal[] {
  const build = apply(name, attrs)
  const refused = (inputs: Refusal['inputs'], message: RegExp): Refusal => ({ inputs, build, message })
  const wrong = (changed: Partial<Word2vecAttrs>, message: RegExp): Refusal => {
    return { inputs: all, build: apply(name, { ...attrs, ...changed } as Word2vecAttrs), message }
  }
  return [
    refused(all.slice(1), /expected 9 inputs, got 8/),
    refused(instead(all, 0, 'bf16', 5, 3), /expected inputs of f32, got bf16\[5, 3\]/),
    refused(instead(all, 0, 'f32', 5), /expected inputs with 2 axes/),
    refused(instead(all, 1, 'f32', 5, 4), /expected outputs of shape/),
    refused(instead(all, 2, 'f32', 9), /expected tokens of i32/),
    refused(instead(all, 2, 'i32', 3, 3), /expected tokens with 1 axes/),
    refused(instead(all, 3, 'f32', 4), /expected kept of shape \[5\]/),
    refused(instead(all, 4, 'u8', 5), /expected (chosen|starts) of/),
    refused(instead(all, 5, 'f32', 5), /expected (other|codes) of i32/),
    refused(instead(all, 6, 'f32', 1), /expected a rate of shape/),
    refused(instead(all, 7, 'i32', 1), /expected a seed of shape \[2\]/),
    refused(instead(all, 8, 'i32', 1), /expected a step of shape/),
    wrong({ model: 'glove' }, /expected a model of skipGram or cbow, got glove/),
    wrong({ window: 0 }, /expected a window from 1 to 256, got 0/),
    wrong({ longest: 0 }, /expected longest from 1 to 1048576, got 0/),
  ]
}

const option = (options: object, message: RegExp): Refusal => ({
  inputs: sampledTypes.slice(0, 6),
  build: (...t) => {
    const [inputs, outputs, tokens, kept, chosen, other] = t as [
      Tensor<'f32'>,
      Tensor<'f32'>,
      Tensor<'i32'>,
      ...Tensor[],
    ]
    const given = { kept, rate: 0.1, among: { chosen, other, count: 5 }, ...options } as unknown as ops.Word2vecOptions
    return ops.word2vec(inputs, outputs, tokens, given).loss
  },
  message,
  code: 'ERR_OPTION',
})

const noGolden = 'PyTorch has no step of word2vec'

export const word2vecCases: readonly OpCase[] = [
  opCase<Word2vecAttrs>({
    name: 'word2vec',
    reference: word2vecOutputs,
    samples: texts(false),
    refusals: [
      ...refusals('word2vec', sampledTypes, { ...small, negatives: 5 }),
      {
        inputs: sampledTypes,
        build: apply('word2vec', { ...small, negatives: 256 }),
        message: /expected negatives from 1 to 255, got 256/,
      },
      option({ windows: 3 }, /windows/),
      option({ window: 0 }, /expected a whole number from 1 to 256, got 0/),
      option({ model: 'glove' }, /expected skipGram, cbow/),
      option({ kept: undefined }, /kept/),
    ],
    tolerance,
    noGolden,
  }),
  opCase<Word2vecAttrs>({
    name: 'word2vecTree',
    reference: word2vecOutputs,
    samples: texts(true),
    refusals: refusals('word2vecTree', treeTypes, small),
    tolerance,
    noGolden,
  }),
]
