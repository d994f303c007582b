// Language models at work: many streams of one network, each going on token by token from the state that it carries. One compiled
// program of one step draws the next token of every stream on the device; the host decides only what it reads instead.
import { expectOptions, is, type Schema } from '../base/index.js'
import type { CompilePrecision } from '../compile/index.js'
import { assign, type HostArray, OstrichError, read, type Tensor, Variable } from '../graph/index.js'
import {
  add,
  argmax,
  cast,
  div,
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
  sum,
  where,
  zeros,
} from '../ops/index.js'
import { withDraws } from '../ops/random.js'
import { compileFunction } from '../train/compiled.js'
import type { Programs } from '../train/programs.js'
import type { StateStore } from '../train/state.js'
import { prepared } from '../train/objective.js'
import type { Inputs, Network } from '../train/types.js'
import { Decoder } from './decoder.js'
import type { Compiler, Extents } from './decoder-types.js'

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

/** Where a sampler works. */
export interface SamplerParts {
  readonly programs: Programs
  readonly store: StateStore
  readonly net: Network
  readonly inputs: Inputs
  readonly precision: CompilePrecision
}

/** Parallel texts of one model. */
export class Sampler {
  readonly streams: number
  /** Tokens, V. */
  readonly vocabulary: number
  readonly #store: StateStore
  readonly #decoder: Decoder
  readonly #steps: Steps
  /** Number of the next draw. */
  #draw = 0

  private constructor(store: StateStore, decoder: Decoder, steps: Steps) {
    this.#store = store
    this.#decoder = decoder
    this.#steps = steps
    this.streams = steps.streams
    this.vocabulary = steps.vocabulary
  }

  /** @throws ShapeError from the network; OstrichError `ERR_OPTION` */
  static async create(parts: SamplerParts, options: SamplerOptions): Promise<Sampler> {
    expectOptions('sampler', options, schema)
    const { streams = 1, probabilities = false } = options
    const decoder = new Decoder(compilerOf(parts), { precision: parts.precision })
    const steps = new Steps(decoder, parts, streams, probabilities)
    await steps.of(false).ready
    return new Sampler(parts.store, decoder, steps)
  }

  /** Starts all texts anew, with new draws. */
  async start(seed = 1): Promise<void> {
    this.#draw = 0
    await this.#store.get(seedVariable)?.buffer.write(Int32Array.of(seed | 0, Math.floor(seed / 2 ** 32) | 0))
    await this.#decoder.start()
  }

  /**
   * Each stream reads a token and draws the next: the given one, or (below 0, or without `given`) the one that it drew last.
   * Calls may overlap; they run in order.
   * @throws OstrichError `ERR_OPTION` for a temperature that is not above 0, a k below 1; `ERR_DATA` for a token outside the vocabulary
   */
  async step(given?: Int32Array, options: DrawOptions = {}): Promise<Drawn> {
    checkDraw(options)
    const { temperature = 1, topK } = options
    const { tokens, logProbabilities } = await this.#steps.of(topK !== undefined).run({
      given: given ?? new Int32Array(this.streams).fill(-1),
      temperature: Float32Array.of(temperature),
      draw: Int32Array.of(this.#draw++),
      ...(topK !== undefined && { k: Float32Array.of(Math.min(topK, this.vocabulary)) }),
    })
    return { tokens, logProbabilities }
  }

  /** Stream i goes on from where stream `from[i]` stands. */
  select(from: Int32Array): Promise<void> {
    return this.#decoder.select(from)
  }

  /** Remembers where all streams stand. */
  save(): Promise<void> {
    return this.#decoder.save()
  }

  /** Goes back to where they stood at the last `save`. */
  restore(): Promise<void> {
    return this.#decoder.restore()
  }
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

/** What compiles for a decoder here: draws depend on the name. */
function compilerOf({ programs, precision: most }: SamplerParts): Compiler {
  return {
    compile: (fn, extents, options) =>
      compileFunction(programs, fn, extents, { ...options, fields: {}, most, name: 'sample' }),
  }
}

/** What a step reads and gives. */
interface Step {
  readonly ready: Promise<unknown>
  run(inputs: Readonly<Record<string, HostArray>>): Promise<Drawn>
}

/** A step of every stream that draws of all tokens, and one that draws of the k likeliest, each compiled when it is first asked for. */
class Steps {
  readonly streams: number
  vocabulary = 0
  readonly #decoder: Decoder
  readonly #parts: SamplerParts
  readonly #drawn: Variable<'i32', [number]>
  readonly #probabilities: boolean
  readonly #known = new Map<boolean, Step>()

  constructor(decoder: Decoder, parts: SamplerParts, streams: number, probabilities: boolean) {
    this.#decoder = decoder
    this.#parts = parts
    this.#probabilities = probabilities
    this.streams = streams
    const init = () => zeros([streams], 'i32')
    this.#drawn = new Variable({ label: 'drawn', dtype: 'i32', shape: [streams], role: 'scratch', init })
  }

  of(limited: boolean): Step {
    const known = this.#known.get(limited) ?? this.#prepare(limited)
    this.#known.set(limited, known)
    return known
  }

  #prepare(limited: boolean): Step {
    const extents: Extents = {
      given: { dtype: 'i32', shape: [this.streams] },
      temperature: [],
      draw: { dtype: 'i32', shape: [] },
      ...(limited && { k: [] }),
    }
    const step = (inputs: Readonly<Record<string, Tensor>>) => ({
      outputs: withDraws(
        () => reshape(cast(inputs['draw']!, 'i32'), []),
        () => this.#one(inputs),
      ),
      states: {},
    })
    return this.#decoder.prepare(step, extents) as unknown as Step
  }

  /** One token of each stream through the network, and a draw of the next, of all or of the k likeliest. */
  #one({ given, temperature, k }: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
    const { net, inputs } = this.#parts
    const { streams } = this
    const x = where(less(given!, 0), read(this.#drawn), given!)
    const output = net(prepared(inputs, 'x', reshape(x, [1, streams])))
    const width = output.shape.at(-1) ?? 1
    this.vocabulary = width
    const logits = cast(reshape(output, [streams, width]), 'f32')
    const scores = div(logits, cast(temperature!, 'f32'))
    // Argmax of scores with Gumbel noise is a draw from their softmax (Gumbel 1954; Maddison, Tarlow & Minka 2014, "A* sampling").
    const noise = neg(log(neg(log(maximum(randomUniform([streams, width]), 1e-30)))))
    const noisy = add(scores, noise)
    const tokens = argmax(k === undefined ? noisy : where(amongLargest(scores, cast(k, 'f32')), noisy, -1e30))
    assign(this.#drawn, tokens)
    return { tokens, ...(this.#probabilities && { logProbabilities: logSoftmax(logits) }) }
  }
}

/** Where x [N, V] is among the k largest of its row: the k-th largest is found by halving the range in which it lies. */
function amongLargest(x: Tensor<'f32'>, k: Tensor<'f32'>): Tensor {
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
