// Language models at work: many streams of one network, each going on token by token from the state that it carries. One compiled
// program of one step draws the next token of every stream on the device; the host decides only what it reads instead.
import { expectOptions, is, type Schema } from '../base/index.js'
import type { CompilePrecision } from '../compile/index.js'
import { assign, type DType, feed, keptBy, OstrichError, read, type Tensor, Variable } from '../graph/index.js'
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
  zeros,
} from '../ops/index.js'
import { withFreshStreams } from '../ops/streams.js'
import type { Built, Programs } from '../train/programs.js'
import type { StateStore } from '../train/state.js'
import { prepared } from '../train/objective.js'
import type { Inputs, Network } from '../train/types.js'

/** Halvings of the range in which the k-th largest logit lies: below what f32 tells apart. */
const HALVINGS = 32

/** Options of `model.sampler`. */
export interface SamplerOptions {
  /** Texts at once. Default: 1. */
  readonly streams?: number
  /** Fetch the logarithms of all probabilities of each next token, too. Default: false. */
  readonly probabilities?: boolean
}

const schema: Schema<SamplerOptions> = { streams: is.whole(1), probabilities: is.flag }

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
  readonly #parts: SamplerParts
  readonly #probabilities: boolean
  readonly #drawn: Variable<'i32', [number]>
  /** Of all tokens, and of the k likeliest. */
  readonly #steps = new Map<boolean, Promise<Built>>()
  readonly #moves = new Map<'select' | 'save' | 'restore', Promise<Built>>()
  readonly #carried: readonly Variable[]
  /** Programs are built when they are first needed; what is asked for meanwhile waits its turn. */
  #ready: Promise<unknown> = Promise.resolve()
  #fresh = true

  private constructor(parts: SamplerParts, step: Built, drawn: Variable<'i32', [number]>, sizes: Sizes) {
    this.#parts = parts
    this.#drawn = drawn
    this.#probabilities = sizes.probabilities
    this.#steps.set(false, Promise.resolve(step))
    this.streams = sizes.streams
    this.vocabulary = sizes.vocabulary
    this.#carried = step.traced.assigns.flatMap(({ state }) => {
      const found = step.traced.states.find(({ tensor }) => tensor.node === state.node)
      return found?.variable.role === 'scratch' && found.variable.dtype === 'f32' ? [found.variable] : []
    })
  }

  /** @throws ShapeError from the network; OstrichError `ERR_OPTION` */
  static async create(parts: SamplerParts, options: SamplerOptions): Promise<Sampler> {
    expectOptions('sampler', options, schema)
    const { streams = 1, probabilities = false } = options
    const drawn = new Variable<'i32', [number]>({
      label: 'drawn',
      dtype: 'i32',
      shape: [streams],
      role: 'scratch',
      init: () => zeros([streams], 'i32'),
    })
    let vocabulary = 0
    const built = await parts.programs.build({ name: 'sample', mode: 'eval', precision: parts.precision }, () => {
      const { tokens, logProbabilities, width } = oneStep(parts, drawn, probabilities, false)
      vocabulary = width
      return { tokens, ...(logProbabilities && { logProbabilities }) }
    })
    return new Sampler(parts, built, drawn, { streams, vocabulary, probabilities })
  }

  /** Starts all texts anew, with new draws. */
  async start(seed = 1): Promise<void> {
    const { store } = this.#parts
    this.#fresh = true
    await store.get(seedVariable)?.buffer.write(Int32Array.of(seed | 0, Math.floor(seed / 2 ** 32) | 0))
    await store.get(stepVariable)?.buffer.write(Int32Array.of(0))
  }

  /**
   * Each stream reads a token and draws the next: the given one, or (below 0, or without `given`) the one that it drew last.
   * Calls may overlap; they run in order.
   * @throws OstrichError `ERR_OPTION` for a temperature that is not above 0, a k below 1; `ERR_DATA` for a token outside the vocabulary
   */
  async step(given?: Int32Array, options: DrawOptions = {}): Promise<Drawn> {
    checkDraw(options)
    const { temperature = 1, topK } = options
    const { streams, vocabulary } = this
    const tokens = new Int32Array(streams)
    const logProbabilities = this.#probabilities ? new Float32Array(streams * vocabulary) : undefined
    const feeds = {
      given: given ?? new Int32Array(streams).fill(-1),
      fresh: new Float32Array(streams).fill(this.#fresh ? 1 : 0),
      temperature: Float32Array.of(temperature),
      ...(topK !== undefined && { k: Float32Array.of(Math.min(topK, vocabulary)) }),
    }
    this.#fresh = false
    const { program } = await this.#inTurn(() => this.#stepOf(topK !== undefined))
    await program.run(feeds, { tokens, ...(logProbabilities && { logProbabilities }) })
    return { tokens, logProbabilities }
  }

  /** Stream i goes on from where stream `from[i]` stands. */
  async select(from: Int32Array): Promise<void> {
    await (await this.#inTurn(() => this.#move('select'))).program.run({ from }, {})
  }

  /** Remembers where all streams stand. */
  async save(): Promise<void> {
    await (await this.#inTurn(() => this.#move('save'))).program.run({}, {})
  }

  /** Goes back to where they stood at the last `save`. */
  async restore(): Promise<void> {
    this.#fresh = false
    await (await this.#inTurn(() => this.#move('restore'))).program.run({}, {})
  }

  #inTurn(built: () => Promise<Built>): Promise<Built> {
    const ready = this.#ready.then(built)
    this.#ready = ready.catch(() => undefined)
    return ready
  }

  #stepOf(limited: boolean): Promise<Built> {
    let built = this.#steps.get(limited)
    if (built === undefined) {
      const { programs, precision } = this.#parts
      built = programs.build({ name: 'sample', mode: 'eval', precision }, () => {
        const { tokens, logProbabilities } = oneStep(this.#parts, this.#drawn, this.#probabilities, limited)
        return { tokens, ...(logProbabilities && { logProbabilities }) }
      })
      this.#steps.set(limited, built)
    }
    return built
  }

  #move(what: 'select' | 'save' | 'restore'): Promise<Built> {
    let built = this.#moves.get(what)
    if (built === undefined) {
      built = this.#parts.programs.build({ name: what, mode: 'eval', precision: 'f32' }, () => {
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
    const { label, dtype, shape } = variable
    const init = () => zeros(shape, dtype)
    return keptBy(this, variable, () => new Variable({ label: `${label}_saved`, dtype, shape, role: 'scratch', init }))
  }
}

interface Sizes {
  readonly streams: number
  readonly vocabulary: number
  readonly probabilities: boolean
}

interface OneStep {
  readonly tokens: Tensor
  readonly logProbabilities?: Tensor
  /** V. */
  readonly width: number
}

/** Where a sampler works. */
export interface SamplerParts {
  readonly programs: Programs
  readonly store: StateStore
  readonly net: Network
  readonly inputs: Inputs
  readonly precision: CompilePrecision
}

function checkDraw(options: DrawOptions): void {
  const above = is.kind('a number above 0', (value) => typeof value === 'number')
  expectOptions('sampler', options, { temperature: above, topK: is.whole(1) })
  const { temperature = 1 } = options
  if (!(temperature > 0 && temperature < Infinity)) {
    const hint = temperature === 0 ? ' (topK 1 takes the likeliest)' : ''
    throw new OstrichError('ERR_OPTION', `sampler[temperature]: expected a number above 0, got ${temperature}${hint}`)
  }
}

/** One token of each stream through the network, and a draw of the next, of all or of the `limited` ones. */
function oneStep(
  { net, inputs }: SamplerParts,
  drawn: Variable<'i32', [number]>,
  probabilities: boolean,
  limited: boolean,
): OneStep {
  const [streams] = drawn.shape
  const given = feed('given', 'i32', [streams])
  const x = where(less(given, 0), read(drawn), given)
  const asPrepared = prepared(inputs, 'x', reshape(x, [1, streams]))
  const output = withFreshStreams(feed('fresh', 'f32', [streams]), () => net(asPrepared))
  const width = output.shape.at(-1) ?? 1
  const logits = cast(reshape(output, [streams, width]), 'f32')
  const scores = div(logits, feed('temperature', 'f32', []))
  // Argmax of scores with Gumbel noise is a draw from their softmax (Gumbel 1954; Maddison, Tarlow & Minka 2014, "A* sampling").
  const noise = neg(log(neg(log(maximum(randomUniform([streams, width]), 1e-30)))))
  const noisy = add(scores, noise)
  const tokens = argmax(limited ? where(amongLargest(scores, feed('k', 'f32', [])), noisy, -1e30) : noisy)
  assign(drawn, tokens)
  assign(stepVariable, add(read(stepVariable), 1))
  return { tokens, ...(probabilities && { logProbabilities: logSoftmax(logits) }), width }
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
