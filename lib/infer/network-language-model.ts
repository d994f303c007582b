// A network that writes text as the language model of a search: histories are rows of a table on the device, which one compiled step reads a token
// behind, some rows at a time. The host keeps what the network says of the next token behind each.
import { expectKind, expectOptions, is, OstrichError } from '../base/index.js'
import { type Histories, type LanguageModel, type TextUnit, UNKNOWN, Vocabulary } from '../data/index.js'
import { END_OF_LINE } from '../data/text/vocabulary.js'
import { assign, count, keptBy, read, type Tensor, Variable } from '../graph/index.js'
import { cast, gather, logSoftmax, reshape, setRows, zeros } from '../ops/index.js'
import { StreamStates, withStreamStates } from '../ops/streams.js'
import type { Compiled } from '../train/compiled.js'
import { aFunction } from '../train/options.js'
import type { Network } from '../train/types.js'
import type { Compiler } from './decoder-types.js'

/** Options of `networkLanguageModel`. */
export interface NetworkLanguageModelOptions {
  /** Histories that one run of the network goes on with. Default: 32. */
  readonly rows?: number
}

/**
 * Makes a language model for `prefixBeamSearch` of a network over tokens, i32 [T, N] to logits [T, N, V], such as `models.lstmLm`, with the
 * weights of a session or a loaded model. Lines begin behind the end of another, as in the text that it was trained on: `<eos>` of words, a line
 * break of characters.
 * @throws OstrichError `ERR_OPTION`, also for a vocabulary without an end of line
 * @example
 * const model = await train.load('lm.safetensors', net)
 * const languageModel = train.networkLanguageModel(model, net, new Vocabulary(model.info!.vocabulary!))
 * const search = train.prefixBeamSearch(alphabet, { languageModel, alpha: 0.6, beta: 1, prune: 10 })
 */
export function networkLanguageModel(
  of: Compiler,
  net: Network,
  vocabulary: Vocabulary,
  options: NetworkLanguageModelOptions = {},
): LanguageModel {
  const where = 'networkLanguageModel'
  expectKind(where, 'of', is.withMethods('a session or a model', 'compile'), of)
  expectKind(where, 'net', aFunction, net)
  expectKind(where, 'vocabulary', is.instance('a Vocabulary', Vocabulary), vocabulary)
  expectOptions(where, options, { rows: is.whole(1) })
  const end = vocabulary.numberOf(endOf(vocabulary.unit))
  if (end === undefined) {
    const expected = `an end of line, ${JSON.stringify(endOf(vocabulary.unit))}, in it`
    throw new OstrichError('ERR_OPTION', `${where}[vocabulary]: expected ${expected}, got none`)
  }
  const { unit, tokens } = vocabulary
  return {
    ...{ unit, tokens, end, unknown: vocabulary.numberOf(UNKNOWN) },
    numberOf: (token) => vocabulary.numberOf(token),
    async open(most) {
      // Those that are kept, and as many that they become.
      const table = new HistoryTable({ of, net, end, vocabulary, most: 2 * most, rows: options.rows ?? 32 })
      await table.compile()
      return table
    },
  }
}

const endOf = (unit: TextUnit): string => (unit === 'word' ? END_OF_LINE : '\n')

interface TableParts {
  readonly of: Compiler
  readonly net: Network
  readonly end: number
  readonly vocabulary: Vocabulary
  /** Histories at most. */
  readonly most: number
  /** Of them, how many are continued at once. */
  readonly rows: number
}

/** A step of some rows. */
type Move = Compiled<Readonly<Record<string, never>>>

/** Histories by their row. Behind them are two rows more: one of zeros, to begin from, and one for what nobody asked for. */
class HistoryTable implements Histories {
  readonly #parts: TableParts
  readonly #carried = new StreamStates()
  /** log p of each token behind each history, [most, V]. */
  readonly #scores: Float32Array
  readonly #isFree: Uint8Array
  /** From here on the next free row is looked for. */
  #next = 0
  #step: Compiled<{ readonly scores: Tensor<'f32'> }> | undefined
  #take: Move | undefined
  #put: Move | undefined

  constructor(parts: TableParts) {
    this.#parts = parts
    this.#scores = new Float32Array(parts.most * parts.vocabulary.size)
    this.#isFree = new Uint8Array(parts.most).fill(1)
  }

  /** @throws ShapeError from the network */
  async compile(): Promise<void> {
    const { of, net, vocabulary, rows } = this.#parts
    const index = { dtype: 'i32', shape: [rows] } as const
    this.#step = await of.compile(
      (tokens: Tensor) => {
        const x = reshape(cast(tokens, 'i32'), [1, rows])
        const logits = withStreamStates(this.#carried, () => net(x))
        return { scores: logSoftmax(cast(reshape(logits, [rows, vocabulary.size]), 'f32')) }
      },
      { tokens: index },
    )
    // What the network carries from step to step is known once it is traced.
    if (this.#carried.variables.size === 0) return
    this.#take = await of.compile(
      (places: Tensor) => {
        for (const state of this.#carried.variables) {
          assign(state, reshape(gather(read(this.#tableOf(state)), cast(places, 'i32')), [...state.shape]))
        }
        return {}
      },
      { places: index },
    )
    this.#put = await of.compile(
      (places: Tensor) => {
        for (const state of this.#carried.variables) {
          const table = this.#tableOf(state)
          assign(table, setRows(read(table), cast(places, 'i32'), reshape(read(state), [rows, table.shape[1]])))
        }
        return {}
      },
      { places: index },
    )
  }

  async start(): Promise<number> {
    const { most, end } = this.#parts
    this.#isFree.fill(1)
    this.#next = 0
    const first = this.#free()
    await this.#run(Int32Array.of(most), Int32Array.of(end), Int32Array.of(first))
    return first
  }

  score(history: number, token: number): number {
    return this.#scores[history * this.#parts.vocabulary.size + token]!
  }

  async extend(count: number, histories: Int32Array, tokens: Int32Array): Promise<void> {
    const { rows } = this.#parts
    const places = Int32Array.from({ length: count }, () => this.#free())
    for (let from = 0; from < count; from += rows) {
      const to = Math.min(count, from + rows)
      await this.#run(histories.subarray(from, to), tokens.subarray(from, to), places.subarray(from, to))
    }
    histories.set(places)
  }

  keep(count: number, histories: Int32Array): void {
    this.#isFree.fill(1)
    for (let i = 0; i < count; i++) this.#isFree[histories[i]!] = 0
  }

  dispose(): void {
    for (const program of [this.#take, this.#step, this.#put]) program?.dispose()
  }

  /** Reads a token behind each of some histories, into other places. */
  async #run(histories: Int32Array, tokens: Int32Array, places: Int32Array): Promise<void> {
    const { most, end, rows, vocabulary } = this.#parts
    const filled = (some: Int32Array, rest: number): Int32Array => {
      const all = new Int32Array(rows).fill(rest)
      all.set(some)
      return all
    }
    // They run in this order, one at a time.
    const [, { scores }] = await Promise.all([
      this.#take?.run({ places: filled(histories, most) }),
      this.#step!.run({ tokens: filled(tokens, end) }),
      this.#put?.run({ places: filled(places, most + 1) }),
    ])
    for (const [i, place] of places.entries()) {
      const row = scores.subarray(i * vocabulary.size, (i + 1) * vocabulary.size)
      this.#scores.set(row, place * vocabulary.size)
    }
  }

  /** A free row, which is then taken. */
  #free(): number {
    const { most } = this.#parts
    for (let tried = 0; tried < most; tried++) {
      const row = (this.#next + tried) % most
      if (this.#isFree[row] === 0) continue
      this.#isFree[row] = 0
      this.#next = row + 1
      return row
    }
    throw new OstrichError('ERR_OPTION', `languageModel: expected at most ${most / 2} histories at once, got more`)
  }

  /** The rows of a carried state of all histories. */
  #tableOf(state: Variable): Variable<'f32', [number, number]> {
    const shape: [number, number] = [this.#parts.most + 2, count(state.shape.slice(1))]
    const label = `${state.label}_histories`
    const init = (): Tensor<'f32', [number, number]> => zeros(shape)
    return keptBy(this, state, () => new Variable({ label, dtype: 'f32', shape, role: 'scratch', init }))
  }
}
