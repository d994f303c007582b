// Language models at work: many streams of one network, each going on token by token from the state that it carries. One compiled
// program of one step draws the next token of every stream on the device; the host decides only what it reads instead.
import type { CompilePrecision } from '../compile/index.js'
import { assign, type DType, feed, OstrichError, read, type Tensor, Variable } from '../graph/index.js'
import {
  add,
  argmax,
  cast,
  div,
  gather,
  less,
  lessEqual,
  log,
  logSoftmax,
  max,
  maximum,
  min,
  mul,
  neg,
  randomUniform,
  reshape,
  seed as seedVariable,
  step as stepVariable,
  sum,
  where,
  withFreshStreams,
  zeros,
} from '../ops/index.js'
import type { Built, Programs } from './programs.js'
import type { StateStore } from './state.js'
import type { Network } from './task.js'

/** Halvings of the range in which the k-th largest logit lies: below what f32 tells apart. */
const HALVINGS = 32

/** Options of `model.sampler`. */
export interface SamplerOptions {
  /** Texts at once. Default: 1. */
  readonly streams?: number
  /** Fetch the logarithms of all probabilities of each next token, too. Default: false. */
  readonly probabilities?: boolean
}

/** How the next tokens are drawn. */
export interface DrawOptions {
  /** Divides the logits: below 1 surer, above 1 wilder. Default: 1. */
  readonly temperature?: number
  /** Only the k likeliest tokens are drawn from; 1 takes the likeliest. Default: all. */
  readonly topK?: number
}

/** What a step gives, for each stream. */
export interface Drawn {
  /** The next token, as drawn: what the next step reads unless it is given another. */
  readonly tokens: Int32Array
  /** Logarithm of each token's probability at temperature 1, [streams, V]; where it was asked for. */
  readonly logProbabilities: Float32Array | undefined
}

/** Parallel texts of one model. */
export class Sampler {
  readonly streams: number
  /** Tokens, V. */
  readonly vocabulary: number
  readonly #programs: Programs
  readonly #store: StateStore
  readonly #step: Built
  readonly #moves = new Map<'select' | 'save' | 'restore', Promise<Built>>()
  readonly #carried: readonly Variable[]
  readonly #copies = new Map<Variable, Variable>()
  #fresh = true

  private constructor(programs: Programs, store: StateStore, step: Built, streams: number, vocabulary: number) {
    this.#programs = programs
    this.#store = store
    this.#step = step
    this.streams = streams
    this.vocabulary = vocabulary
    this.#carried = step.traced.assigns.flatMap(({ state }) => {
      const found = step.traced.states.find(({ tensor }) => tensor.node === state.node)
      return found?.variable.role === 'scratch' && found.variable.dtype === 'f32' ? [found.variable] : []
    })
  }

  /** @throws ShapeError from the network; OstrichError `ERR_OPTION` */
  static async create(
    { programs, store, net, precision }: SamplerParts,
    { streams = 1, probabilities = false }: SamplerOptions,
  ): Promise<Sampler> {
    if (!Number.isSafeInteger(streams) || streams < 1) {
      throw new OstrichError('ERR_OPTION', `sampler[streams]: expected a whole number of at least 1, got ${streams}`)
    }
    const name = `sample${streams}${probabilities ? 'p' : ''}`
    let vocabulary = 0
    const built = await programs.build({ name, mode: 'eval', precision }, () => {
      const traced = oneStep(net, streams)
      vocabulary = traced.logits.shape.at(-1) ?? 1
      return { tokens: traced.tokens, ...(probabilities && { logProbabilities: logSoftmax(traced.logits) }) }
    })
    return new Sampler(programs, store, built, streams, vocabulary)
  }

  /** Starts all texts anew, with new draws. */
  async start(seed = 1): Promise<void> {
    this.#fresh = true
    await this.#store.get(seedVariable)?.buffer.write(Int32Array.of(seed | 0, Math.floor(seed / 2 ** 32) | 0))
    await this.#store.get(stepVariable)?.buffer.write(Int32Array.of(0))
  }

  /**
   * Each stream reads a token and draws the next: the given one, or (below 0, or without `given`) the one that it drew last.
   * Calls may overlap; they run in order.
   * @throws OstrichError `ERR_OPTION` for a temperature that is not above 0, a k below 1; `ERR_DATA` for a token outside the vocabulary
   */
  async step(given?: Int32Array, { temperature = 1, topK }: DrawOptions = {}): Promise<Drawn> {
    checkDraw({ temperature, ...(topK !== undefined && { topK }) })
    const { streams, vocabulary } = this
    const tokens = new Int32Array(streams)
    const wanted = this.#step.compiled.fetches.some(({ name }) => name === 'logProbabilities')
    const logProbabilities = wanted ? new Float32Array(streams * vocabulary) : undefined
    const feeds = {
      given: given ?? new Int32Array(streams).fill(-1),
      fresh: new Float32Array(streams).fill(this.#fresh ? 1 : 0),
      temperature: Float32Array.of(temperature),
      k: Float32Array.of(Math.min(topK ?? vocabulary, vocabulary)),
    }
    this.#fresh = false
    await this.#step.program.run(feeds, { tokens, ...(logProbabilities && { logProbabilities }) })
    return { tokens, logProbabilities }
  }

  /** Stream i goes on from where stream `from[i]` stands. */
  async select(from: Int32Array): Promise<void> {
    await (await this.#move('select')).program.run({ from }, {})
  }

  /** Remembers where all streams stand. */
  async save(): Promise<void> {
    await (await this.#move('save')).program.run({}, {})
  }

  /** Goes back to where they stood at the last `save`. */
  async restore(): Promise<void> {
    this.#fresh = false
    await (await this.#move('restore')).program.run({}, {})
  }

  #move(what: 'select' | 'save' | 'restore'): Promise<Built> {
    let built = this.#moves.get(what)
    if (built === undefined) {
      built = this.#programs.build({ name: what, mode: 'eval', precision: 'f32' }, () => {
        const from = what === 'select' ? feed('from', 'i32', [this.streams]) : undefined
        for (const variable of this.#carried) {
          const copy = this.#copyOf(variable)
          if (from !== undefined)
            assign(variable, gather(read(variable) as Tensor<DType, readonly [number, number]>, from))
          else if (what === 'save') assign(copy, read(variable))
          else assign(variable, read(copy))
        }
        return {}
      })
      this.#moves.set(what, built)
    }
    return built
  }

  #copyOf(variable: Variable): Variable {
    const known = this.#copies.get(variable)
    if (known !== undefined) return known
    const { label, dtype, shape } = variable
    const copy = new Variable({
      label: `${label}_saved`,
      dtype,
      shape,
      role: 'scratch',
      init: () => zeros(shape, dtype),
    })
    this.#copies.set(variable, copy)
    return copy
  }
}

/** Where a sampler works. */
export interface SamplerParts {
  readonly programs: Programs
  readonly store: StateStore
  readonly net: Network
  readonly precision: CompilePrecision
}

function checkDraw({ temperature, topK }: DrawOptions & { readonly temperature: number }): void {
  if (!(temperature > 0 && temperature < Infinity)) {
    const hint = temperature === 0 ? ' (topK 1 takes the likeliest)' : ''
    throw new OstrichError('ERR_OPTION', `sampler[temperature]: expected a number above 0, got ${temperature}${hint}`)
  }
  if (topK !== undefined && !(Number.isSafeInteger(topK) && topK >= 1)) {
    throw new OstrichError('ERR_OPTION', `sampler[topK]: expected a whole number of at least 1, got ${topK}`)
  }
}

/** One token of each stream through the network, and a draw of the next. */
function oneStep(net: Network, streams: number): Record<'tokens' | 'logits', Tensor> {
  const drawn = new Variable<'i32', [number]>({
    label: 'drawn',
    dtype: 'i32',
    shape: [streams],
    role: 'scratch',
    init: () => zeros([streams], 'i32'),
  })
  const given = feed('given', 'i32', [streams])
  const x = where(less(given, 0), read(drawn), given)
  const output = withFreshStreams(feed('fresh', 'f32', [streams]), () => net(reshape(x, [1, streams]) as never))
  const vocabulary = output.shape.at(-1) ?? 1
  const logits = cast(reshape(output, [streams, vocabulary]), 'f32')
  const scores = div(logits, feed('temperature', 'f32', []))
  // Argmax of scores with Gumbel noise is a draw from their softmax (Gumbel 1954; Maddison, Tarlow & Minka 2014, "A* sampling").
  const noise = neg(log(neg(log(maximum(randomUniform([streams, vocabulary]), 1e-30)))))
  const tokens = argmax(where(amongLargest(scores, feed('k', 'f32', [])), add(scores, noise), -1e30))
  assign(drawn, tokens)
  assign(stepVariable, add(read(stepVariable), 1))
  return { tokens, logits }
}

/** Where x [N, V] is among the k largest of its row: the k-th largest is found by halving the range in which it lies. */
function amongLargest(x: Tensor<'f32'>, k: Tensor<'f32', []>): Tensor {
  let low: Tensor = min(x, -1, { keepDims: true })
  let high: Tensor = max(x, -1, { keepDims: true })
  for (let i = 0; i < HALVINGS; i++) {
    const middle = mul(add(low, high), 0.5)
    const count = sum(cast(lessEqual(middle, x), 'f32'), -1, { keepDims: true })
    const few = less(count, k)
    low = where(few, low, middle)
    high = where(few, middle, high)
  }
  return lessEqual(low, x)
}
