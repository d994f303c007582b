// A step of word2vec over a block of text: of two tables the next ones, which a backend writes in place where they are states. Words outside
// a table are the run-time error ERR_DATA.
import { expectOptions, is, type Schema } from '../base/index.js'
import { emit, notDifferentiable, randomStream, type Tensor, type TensorType } from '../graph/index.js'
import { exactly, expectDType, expectRank, expectShape, expectThat, register } from './define.js'
import { aTensor, scalar } from './operand.js'
import { counters } from './random.js'

type Table = Tensor<'f32', readonly [number, number]>

/** Numbers of the native kernels, which keep what belongs to a word in memory of a fixed size. */
const [MOST_WINDOW, MOST_NEGATIVES, MOST_SENTENCE] = [256, 255, 2 ** 20] as const
const models = ['skipGram', 'cbow'] as const

type WordAttrs = { readonly model: string; readonly window: number; readonly longest: number; readonly stream: number }
type SampledAttrs = WordAttrs & { readonly negatives: number }

function expectRange(value: number, least: number, most: number, what: string): void {
  const good = Number.isSafeInteger(value) && value >= least && value <= most
  expectThat(good, `${what} from ${least} to ${most}`, value.toString())
}

function inferWords(types: readonly TensorType[], { model, window, longest, stream }: WordAttrs): TensorType[] {
  const [inputs, outputs, tokens, kept, , , rate, seed, step] = exactly(types, 9)
  for (const [table, what] of [[inputs, 'inputs'] as const, [outputs, 'outputs'] as const]) {
    expectDType(table, ['f32'], what)
    expectRank(table, 2, what)
  }
  const [words = 1, width = 1] = inputs.shape
  expectShape(outputs, [outputs.shape[0] ?? 1, width], 'outputs of shape')
  expectDType(tokens, ['i32'], 'tokens')
  expectRank(tokens, 1, 'tokens')
  expectDType(kept, ['f32'], 'kept')
  expectShape(kept, [words], 'kept of shape')
  expectDType(rate, ['f32'], 'a rate')
  expectShape(rate, [], 'a rate of shape')
  expectDType(seed, ['i32'], 'a seed')
  expectShape(seed, [2], 'a seed of shape')
  expectDType(step, ['i32'], 'a step')
  expectShape(step, [], 'a step of shape')
  expectThat(models.includes(model as 'cbow'), `a model of ${models.join(' or ')}`, model)
  expectRange(window, 1, MOST_WINDOW, 'a window')
  expectRange(longest, 1, MOST_SENTENCE, 'longest')
  expectRange(stream, 0, 0xffffffff, 'a stream')
  return [inputs, outputs, { dtype: 'f32', shape: [] }, { dtype: 'f32', shape: [] }]
}

const traits = { kind: 'kernel', inBf16: 'f32', moves: false, epilogue: 'none' } as const
const vjp = notDifferentiable('it is a whole training step, whose tables change as it goes')
const wordAttributes = { model: 'string', window: 'int', longest: 'int', stream: 'int' } as const

const sampledOp = register<SampledAttrs>({
  name: 'word2vec',
  ...traits,
  attributes: { ...wordAttributes, negatives: 'int' },
  infer: (types, attrs) => {
    const [inputs, outputs, , , chosen, other] = exactly(types, 9)
    expectRange(attrs.negatives, 1, MOST_NEGATIVES, 'negatives')
    const result = inferWords(types, attrs)
    expectShape(outputs, inputs.shape, 'outputs of shape')
    expectDType(chosen, ['f32'], 'chosen')
    expectShape(chosen, inputs.shape.slice(0, 1), 'chosen of shape')
    expectDType(other, ['i32'], 'other')
    expectShape(other, inputs.shape.slice(0, 1), 'other of shape')
    return result
  },
  vjp,
})

const treeOp = register<WordAttrs>({
  name: 'word2vecTree',
  ...traits,
  attributes: wordAttributes,
  infer: (types, attrs) => {
    const [inputs, , , , starts, codes] = exactly(types, 9)
    const result = inferWords(types, attrs)
    expectDType(starts, ['i32'], 'starts')
    expectShape(starts, [(inputs.shape[0] ?? 1) + 1], 'starts of shape')
    expectDType(codes, ['i32'], 'codes')
    expectRank(codes, 1, 'codes')
    return result
  },
  vjp,
})

/** Negative sampling: what a word is told from. */
export interface Word2vecNegatives {
  /** Of an alias table over V words: the probability that a place is its own word, f32 [V]. */
  readonly chosen: Tensor<'f32'>
  /** The word that it is otherwise, i32 [V]. */
  readonly other: Tensor<'i32'>
  /** How many are drawn for a word, 1 to 255; the word itself is left out. */
  readonly count: number
}

/** Hierarchical softmax: a binary tree over the words, whose inner nodes are the rows of the outputs. */
export interface Word2vecTree {
  /** Where each word's way from the root begins, i32 [V + 1]. */
  readonly starts: Tensor<'i32'>
  /** Of each node on the way 2 * node + bit, i32 [L], at most 256 a word. */
  readonly codes: Tensor<'i32'>
}

/** Options of `word2vec`. */
export interface Word2vecOptions {
  /** `skipGram`: each word around foretells the one in the middle; `cbow`: their mean does. Default: `skipGram`. */
  readonly model?: 'skipGram' | 'cbow'
  /** Words on each side at most, 1 to 256; how many is drawn for each word. Default: 5. */
  readonly window?: number
  /** Words of a sentence at most. Default: 1000. */
  readonly longest?: number
  /** The probability that a word stays, f32 [V]. */
  readonly kept: Tensor<'f32'>
  /** The learning rate, f32 []. */
  readonly rate: Tensor<'f32'> | number
  /** What a word is foretold among. */
  readonly among: Word2vecNegatives | Word2vecTree
}

/** What `word2vec` gives. */
export interface Word2vecStep {
  readonly inputs: Table
  readonly outputs: Table
  /** Sum of the losses of all scores, f32 []. */
  readonly loss: Tensor<'f32', []>
  /** Scores that were made, f32 []. */
  readonly scores: Tensor<'f32', []>
}

const schema: Schema<Word2vecOptions> = {
  model: is.oneOf(...models),
  window: is.whole(1, MOST_WINDOW),
  longest: is.whole(1, MOST_SENTENCE),
  kept: is.needed(aTensor),
  rate: is.needed(is.anything),
  among: is.needed(is.object),
}

/**
 * Both tables of word2vec behind a step over a block of text: inputs f32 [V, D], outputs f32 [V, D] or [nodes, D], tokens i32 [N], -1 between
 * sentences. Assigned to the tables, they are written in place. Words change the rows one after the other, as stochastic gradient descent
 * does; the negatives of a word are one draw for all words around it, so that a word is a few small products. With several threads blocks of
 * 2,048 words and more are parted, and rows change without locks: the result then differs from run to run. It has no gradient.
 * @throws ShapeError where dtypes or extents do not fit; OstrichError `ERR_OPTION`
 * @see Mikolov et al. 2013, arXiv:1301.3781 and arXiv:1310.4546; Ji et al. 2016, arXiv:1604.04661 (shared negatives); Niu et al. 2011 (no locks)
 * @example
 * const step = word2vec(read(inputs), read(outputs), tokens, { kept, rate, among: { chosen, other, count: 5 } })
 * assign(inputs, step.inputs)
 * assign(outputs, step.outputs)
 */
export function word2vec(
  inputs: Tensor<'f32'>,
  outputs: Tensor<'f32'>,
  tokens: Tensor<'i32'>,
  options: Word2vecOptions,
): Word2vecStep {
  expectOptions('ops.word2vec', options, schema)
  const { model = 'skipGram', window = 5, longest = 1000, kept, rate, among } = options
  const attrs = { model, window, longest, stream: randomStream() }
  const at = typeof rate === 'number' ? scalar('f32', rate) : rate
  const [next, nextOutputs, loss, scores]: readonly [Table, Table, Tensor<'f32', []>, Tensor<'f32', []>] =
    'codes' in among
      ? emit(treeOp, [inputs, outputs, tokens, kept, among.starts, among.codes, at, ...counters()], attrs)
      : emit(sampledOp, [inputs, outputs, tokens, kept, among.chosen, among.other, at, ...counters()], {
          ...attrs,
          negatives: among.count,
        })
  return { inputs: next, outputs: nextOutputs, loss, scores }
}
