// Recurrent layers over time-major sequences [T, N, D] -> [T, N, units]: LSTM, GRU, and the plain network. All products
// with the input are one matmul over T * N rows; the ops of lib/ops have the recurrent part alone.
import { expectOptions, is, type Schema } from '../base/index.js'
import { constant, keptBy, read, type Shape, ShapeError, type Tensor, type Variable } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { add, matmul, reshape, zeros as zerosOf } from '../ops/index.js'
import { CarriedState } from './carried.js'
import { expectCount, expectNumber, ownerPath, typeText } from './check.js'
import { uniform, zeros } from './init.js'
import { layer, type Layer } from './layer.js'
import { parameter } from './parameter.js'
import type { Features, Initializer } from './types.js'

/** Options that all recurrent layers have. */
export interface RecurrentOptions<U extends number = number, I extends number = number> {
  /** H: extent of the state and of the output. */
  readonly units: U
  /** D. Default: what the first input has. */
  readonly inputs?: I
  /** Of both weight matrices. Default: uniform in +-1 / sqrt(units). */
  readonly init?: Initializer
  /** Of the biases. Default: zeros. */
  readonly biasInit?: Initializer
  /** From the last step to the first. Default: false. */
  readonly reverse?: boolean
  /**
   * Starts each run from the state that the last one left, for each number of streams N, in training and in evaluation apart.
   * `withFreshStreams` says which streams start anew. Default: false, each run starts from zeros.
   */
  readonly carry?: boolean
  /** In paths; default: `lstm1`, `lstm2`, ... */
  readonly name?: string
}

/** The kinds of the options of all recurrent layers. */
export const recurrentOptions: Schema<RecurrentOptions> = {
  units: is.needed(is.number),
  inputs: is.number,
  init: is.callable,
  biasInit: is.callable,
  reverse: is.flag,
  carry: is.flag,
  name: is.text,
}

/** Options of `lstm`. */
export interface LstmOptions<U extends number = number, I extends number = number> extends RecurrentOptions<U, I> {
  /** A second bias, beside the recurrent product, as in cuDNN and Torch. Default: false. */
  readonly recurrentBias?: boolean
  /** Added to the initial bias of the forget gate: to the first, where there are two. Default: 0. */
  readonly forgetBias?: number
  /**
   * In training, rate at which weights between states are zeroed, with one mask for all steps of a run: Merity, Keskar & Socher
   * 2018, "Regularizing and optimizing LSTM language models" (weight drop). Default: 0.
   */
  readonly weightDrop?: number
}

/** Options of `rnn`. */
export interface RnnOptions<U extends number = number, I extends number = number> extends RecurrentOptions<U, I> {
  /** Default: tanh. */
  readonly activation?: 'tanh' | 'relu'
  /** A second bias, beside the recurrent product, as in cuDNN and Torch. Default: false. */
  readonly recurrentBias?: boolean
}

/** Options of `gru`. */
export interface GruOptions<U extends number = number, I extends number = number> extends RecurrentOptions<U, I> {
  /** A bias of the recurrent product, which the reset gate scales with it. Default: true. */
  readonly recurrentBias?: boolean
}

/** What a kind of cell does with x W^T + b, [T, N, parts * H], from its first states: all of them, [T, N, H], h first. */
type Cell = (
  gates: Tensor<'f32'>,
  w: Tensor<'f32'>,
  start: readonly Tensor<'f32'>[],
  bias: Tensor<'f32'> | undefined,
) => readonly Tensor<'f32'>[]

interface Kind {
  readonly kind: string
  /** Pre-activations for each unit. */
  readonly parts: number
  readonly states: readonly string[]
  /** Of the bias, and of a second one, beside the recurrent product. */
  readonly biases: readonly Initializer[]
  /** The cell itself adds the second bias; else it is added to the first. */
  readonly innerBias: boolean
  readonly cell: Cell
}

/** Weights of a layer. Those of the input are made when D is known. */
class Weights {
  readonly all: Variable[] = []
  readonly #x = new Map<number, Variable>()
  readonly #u: Variable
  readonly #biases: readonly Variable[]

  constructor(
    readonly kind: string,
    readonly units: number,
    readonly parts: number,
    readonly init: Initializer,
    biases: readonly Initializer[],
  ) {
    const width = parts * units
    this.#u = parameter('u', [units, width], init, { in: units, out: units })
    this.#biases = biases.map((bias, i) => parameter(i === 0 ? 'b' : 'br', [width], bias))
    this.all.push(this.#u, ...this.#biases)
  }

  /** [parts * H, D] for the one D of this layer. */
  expect(inputs: number): Variable {
    const known = this.#x.get(inputs)
    if (known !== undefined) return known
    const fans = { in: inputs, out: this.units }
    const w = keptBy(this, 'w', (): Variable => parameter('w', [this.parts * this.units, inputs], this.init, fans))
    this.#x.set(inputs, w)
    this.all.unshift(w)
    return w
  }

  /** Reads all that an x of f32 [T, N, D] needs. */
  read(x: Tensor) {
    const [inputs = x.shape.at(-1) ?? 1] = this.#x.keys()
    if (x.rank !== 3 || x.shape[2] !== inputs) {
      const expected = `f32[T, N, ${this.#x.size === 0 ? 'D' : inputs}]`
      throw new ShapeError(`${this.kind}[${ownerPath(read(this.#u))}]: expected x of ${expected}, got ${typeText(x)}`)
    }
    const variables = [this.expect(inputs), this.#u, ...this.#biases]
    const [w, u, b, br] = variables.map((variable) => read(variable) as Tensor<'f32'>)
    return { w: w!, u: u!, b: b!, br }
  }
}

function recurrent<U extends number, I extends number>(
  { kind, parts, states, biases, innerBias, cell }: Kind,
  { units, inputs, init: given, reverse, carry, name }: RecurrentOptions<U, I>,
): Layer<Features<I>, Features<U>> {
  expectCount(kind, 'units', units)
  if (inputs !== undefined) expectCount(kind, 'inputs', inputs)
  const init = given ?? uniform(-(units ** -0.5), units ** -0.5)
  if (carry === true && reverse === true) {
    throw new ShapeError(`${kind}: expected no carry with reverse, whose last step is the first of a sequence`)
  }
  const weights = new Weights(kind, units, parts, init, biases)
  if (inputs !== undefined) weights.expect(inputs)
  const carried = states.map((label) => new CarriedState(label, units))
  return layer<Features<I>, Features<U>>({
    kind,
    name,
    parameters: weights.all,
    apply: (x) => {
      const own = weights.read(x)
      const where = `${kind}[${ownerPath(own.w)}]`
      const [steps = 1, streams = 1, features = 1] = x.shape as Shape
      const bias = own.br && !innerBias ? add(own.b, own.br) : own.b
      const rows = reshape(x as Tensor<'f32'>, [steps * streams, features])
      const products = matmul<'f32', Shape, Shape, false, true>(rows, own.w, { transposeB: true, bias })
      const gates = reshape(products, [steps, streams, parts * units])
      const start = carried.map((state) => (carry === true ? state.start(streams, where) : zerosOf([streams, units])))
      const all = cell(gates, own.u, start, innerBias ? own.br : undefined)
      if (carry === true) {
        carried.forEach((state, i) => {
          state.keep(all[i]!, steps - 1)
        })
      }
      return all[0] as Tensor as Features<U>
    },
  })
}

/**
 * Long short-term memory: x f32 [T, N, D] -> h [T, N, units]. With z = x W^T + b + h_{t-1} U in the order i, f, g, o:
 * c_t = sigmoid(z_f) c_{t-1} + sigmoid(z_i) tanh(z_g), h_t = sigmoid(z_o) tanh(c_t). W [4 units, D], U [units, 4 units].
 * @throws OstrichError `ERR_OPTION`; ShapeError for extents below 1 and carry with reverse; when traced, for an x of other extents.
 * @see Hochreiter & Schmidhuber 1997, "Long short-term memory"; Gers, Schmidhuber & Cummins 2000, "Learning to forget".
 * @example nn.sequential(nn.embedding(10000, 200), nn.lstm({ units: 200, carry: true }), nn.linear(200, 10000))
 */
export function lstm<const U extends number, const I extends number = number>(
  options: LstmOptions<U, I>,
): Layer<Features<I>, Features<U>> {
  const own = { recurrentBias: is.flag, forgetBias: is.number, weightDrop: is.number }
  expectOptions<LstmOptions>('nn.lstm', options, { ...recurrentOptions, ...own })
  const { units, recurrentBias = false, forgetBias = 0, biasInit = zeros, reverse = false, weightDrop = 0 } = options
  expectNumber('lstm', 'the forget bias', forgetBias)
  // The two are summed: in both it would count twice, and a network that forgets nothing is lost from any other state.
  const first = forgetBias === 0 ? biasInit : forgetful(biasInit, units, forgetBias)
  return recurrent<U, I>(
    {
      kind: 'lstm',
      parts: 4,
      states: ['h', 'c'],
      biases: recurrentBias ? [first, biasInit] : [first],
      innerBias: false,
      cell: (gates, w, [h, c]) => {
        const all = ops.lstm(gates, ops.dropout(w, weightDrop), { h: h!, c: c! }, { reverse })
        return [all.h, all.c]
      },
    },
    options,
  )
}

/** A bias [4 units] whose second quarter, that of the forget gate, is larger. */
function forgetful(init: Initializer, units: number, more: number): Initializer {
  return (shape, fans) => {
    const extra = Array.from({ length: 4 * units }, (_, i) => (Math.floor(i / units) === 1 ? more : 0))
    return add<'f32', Shape, Shape>(init(shape, fans), constant('f32', shape, extra))
  }
}

/**
 * A plain recurrent network: x f32 [T, N, D] -> h [T, N, units], h_t = tanh(x_t W^T + b + h_{t-1} U), or relu of it.
 * @throws as `lstm`.
 * @see Elman 1990, "Finding structure in time".
 * @example nn.rnn({ units: 128, activation: 'relu' })
 */
export function rnn<const U extends number, const I extends number = number>(
  options: RnnOptions<U, I>,
): Layer<Features<I>, Features<U>> {
  const own = { recurrentBias: is.flag, activation: is.oneOf('tanh', 'relu') }
  expectOptions<RnnOptions>('nn.rnn', options, { ...recurrentOptions, ...own })
  const { recurrentBias = false, activation = 'tanh', biasInit = zeros, reverse = false } = options
  return recurrent<U, I>(
    {
      kind: 'rnn',
      parts: 1,
      states: ['h'],
      biases: recurrentBias ? [biasInit, biasInit] : [biasInit],
      innerBias: false,
      cell: (gates, w, [h]) => [ops.rnn(gates, w, h!, { activation, reverse })],
    },
    options,
  )
}

/**
 * Gated recurrent units: x f32 [T, N, D] -> h [T, N, units]. With y = x W^T + b and s = h_{t-1} U + br in the order r, z, n:
 * n_t = tanh(y_n + sigmoid(y_r + s_r) s_n), z_t = sigmoid(y_z + s_z), h_t = (1 - z_t) n_t + z_t h_{t-1}: the reset gate scales
 * the finished product, as in cuDNN.
 * @throws as `lstm`.
 * @see Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder for statistical machine translation".
 * @example nn.gru({ units: 256 })
 */
export function gru<const U extends number, const I extends number = number>(
  options: GruOptions<U, I>,
): Layer<Features<I>, Features<U>> {
  expectOptions<GruOptions>('nn.gru', options, { ...recurrentOptions, recurrentBias: is.flag })
  const { units, recurrentBias = true, biasInit = zeros, reverse = false } = options
  return recurrent<U, I>(
    {
      kind: 'gru',
      parts: 3,
      states: ['h'],
      biases: recurrentBias ? [biasInit, biasInit] : [biasInit],
      innerBias: true,
      cell: (gates, w, [h], b) => [ops.gru(gates, w, b ?? zerosOf([3 * units]), h!, { reverse })],
    },
    options,
  )
}
