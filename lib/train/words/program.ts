// The program that trains word vectors: two tables, what a word is foretold among, and a step over a block of text.
import { AliasTable, huffmanCodes, keepProbabilities, negativeWeights } from '../../data/index.js'
import { assign, type HostArray, read, type Tensor, Variable } from '../../graph/index.js'
import { randomUniform, word2vec, zeros } from '../../ops/index.js'
import { type Compiled, compileFunction } from '../compiled.js'
import type { Place } from '../place.js'
import { Programs } from '../programs.js'
import { StateStore } from '../state.js'
import type { Knobs } from './options.js'

/** Vectors of words, or of what they are foretold among. */
export type Table = Variable<'f32', readonly [number, number]>

/** What is held on the device. */
export interface WordProgram {
  readonly programs: Programs
  readonly store: StateStore
  readonly inputs: Table
  readonly outputs: Table
  readonly step: Compiled<{ readonly loss: Tensor; readonly scores: Tensor }>
}

function constants<D extends 'f32' | 'i32'>(label: string, dtype: D, count: number): Variable<D, readonly [number]> {
  return new Variable({ label, dtype, shape: [count] as const, role: 'statistic', init: () => zeros([count], dtype) })
}

/**
 * Compiles the step for blocks of `block` numbers of words, and fills what it reads.
 * @param counts of words, the most frequent first
 */
export async function wordProgram(
  place: Place,
  knobs: Knobs,
  counts: Float64Array,
  block: number,
): Promise<WordProgram> {
  const { model, window, longest, negatives, dimension } = knobs
  const [store, words] = [new StateStore(place.device), counts.length]
  const programs = new Programs(place.device, store, knobs.seed)
  const isTree = knobs.loss === 'hierarchicalSoftmax'
  const table = (label: string, rows: number, init: Table['init']): Table =>
    new Variable({ label, dtype: 'f32', shape: [rows, dimension] as const, role: 'parameter', init })
  const [low, high] = [-0.5 / dimension, 0.5 / dimension]
  const inputs = table('inputs', words, () => randomUniform([words, dimension], { low, high }))
  const rows = isTree ? words - 1 : words
  const outputs = table('outputs', rows, () => zeros([rows, dimension]))
  const kept = constants('kept', 'f32', words)
  const [values, among] = isTree ? treeOf(counts) : negativesOf(counts, negatives)

  const step = await compileFunction(
    programs,
    (tokens: Tensor<'i32'>, rate: Tensor<'f32'>) => {
      const next = word2vec(read(inputs), read(outputs), tokens, {
        model,
        window,
        longest,
        kept: read(kept),
        rate,
        among: among(),
      })
      assign(inputs, next.inputs)
      assign(outputs, next.outputs)
      return { loss: next.loss, scores: next.scores }
    },
    { tokens: { dtype: 'i32', shape: [block] }, rate: [] },
    { fields: {}, most: 'f32', name: 'words', mode: 'train' },
  )
  const shares = Float32Array.from(keepProbabilities(counts, knobs.sample))
  for (const [variable, data] of [...values, [kept, shares] as const]) await store.get(variable)!.buffer.write(data)
  return { programs, store, inputs, outputs, step }
}

type Values = readonly (readonly [Variable, HostArray])[]

function negativesOf(counts: Float64Array, count: number) {
  const alias = new AliasTable(negativeWeights(counts))
  const [chosen, other] = [constants('chosen', 'f32', counts.length), constants('other', 'i32', counts.length)]
  const values: Values = [
    [chosen, Float32Array.from(alias.keep)],
    [other, alias.other],
  ]
  return [values, () => ({ chosen: read(chosen), other: read(other), count })] as const
}

function treeOf(counts: Float64Array) {
  const codes = huffmanCodes(counts)
  const [starts, ways] = [
    constants('starts', 'i32', codes.starts.length),
    constants('codes', 'i32', codes.nodes.length),
  ]
  const values: Values = [
    [starts, codes.starts],
    [ways, codes.nodes.map((node, i) => 2 * node + codes.bits[i]!)],
  ]
  return [values, () => ({ starts: read(starts), codes: read(ways) })] as const
}
