// Predicts frames by LSTMs over whole frames: one reads the frames that are seen; of two others that start from the states that this leaves,
// one writes them again, the last one first, the other those that follow. Srivastava, Mansimov & Salakhutdinov 2015, "Unsupervised learning of
// video representations using LSTMs", section 2.3, with the peepholes and first weights of its code (mansimov/unsupervised-videos).
// To reach on Moving MNIST: 341.2 nats per frame, as published, of endless training sequences.
import { expectOptions, is, type Schema } from '../base/index.js'
import { read, type Shape, ShapeError, type Tensor, traceMode } from '../graph/index.js'
import * as nn from '../nn/index.js'
import { peepholeStep } from '../nn/peephole-lstm.js'
import { recurrentProduct } from '../nn/projection.js'
import { runnable } from '../nn/runnable.js'
import { add, concat, reshape, sigmoid, slice, zeros } from '../ops/index.js'
import {
  expectFilm,
  expectForecastCall,
  type Film,
  type Forecast,
  type ForecastCall,
  type Forecaster,
  reversed,
} from './forecaster.js'

/** Knobs of `compositeLstm`. */
export interface CompositeLstmConfig {
  /** Frames that are predicted. */
  readonly future: number
  /** Channels, height and width of a frame. */
  readonly frame: readonly [number, number, number]
  /** Of each of the three LSTMs. */
  readonly units: number
  /** Whether what writes is given the frame before: in training the true one, else its own. */
  readonly conditional: boolean
  /** Weights start uniform in +-init, peepholes in +-peepholeInit, biases at 0. */
  readonly init: number
  readonly peepholeInit: number
}

/** The network of the paper's best result. */
export const srivastavaComposite: CompositeLstmConfig = {
  future: 10,
  frame: [1, 64, 64],
  units: 2048,
  conditional: true,
  init: 0.01,
  peepholeInit: 0.1,
}

const schema: Schema<CompositeLstmConfig> = {
  future: is.needed(is.whole(1)),
  frame: is.needed(is.listOf(is.whole(1), 'extents')),
  units: is.needed(is.whole(1)),
  conditional: is.needed(is.flag),
  init: is.needed(is.notNegative),
  peepholeInit: is.needed(is.notNegative),
}

type States = nn.States<'h' | 'c'>

/**
 * Frames f32 [T, N, channels, height, width] from 0 to 1 -> logits f32 [future, N, channels, height, width]; `run` gives those of the frames
 * that were seen too.
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for an x or a target of other extents, and in training without a target for a
 * conditional network
 * @see Srivastava, Mansimov & Salakhutdinov 2015, section 2.3 and 2.4.
 * @example
 * const net = compositeLstm(srivastavaComposite)
 * const { output, past } = net.run(x, { target })
 */
export function compositeLstm(config: CompositeLstmConfig): Forecaster {
  expectOptions('compositeLstm', config, schema)
  const { future, frame, units } = config
  const pixels = frame.reduce((product, extent) => product * extent, 1)
  const reader = peephole('reader', pixels, config)
  const [backward, forward] = [writer('backward', pixels, config), writer('forward', pixels, config)]
  return runnable<ForecastCall, Forecast>({
    kind: 'compositeLstm',
    name: 'compositeLstm',
    children: [reader, ...backward.layers, ...forward.layers],
    compute: (x, call) => {
      const [given = 1, rows = 1] = x.shape
      expectFilm('compositeLstm', x, ['T', 'N', ...frame])
      const target = call?.target
      if (target !== undefined) expectFilm('compositeLstm[target]', target, [future, rows, ...frame])
      const flat = (frames: Tensor<'f32'>): Tensor<'f32'> => reshape(frames, [frames.shape[0] ?? 1, rows, pixels])
      const film = (logits: Tensor<'f32'>): Film => reshape(logits, [logits.shape[0] ?? 1, rows, ...frame])
      const seen = flat(x)
      const { last } = reader.run(seen as nn.Features, {})
      const output = film(forward.write(last, future, rows, target && flat(target)))
      if (call === undefined) return output
      const again = reversed(seen)
      return { output, past: film(reversed(backward.write(last, given, rows, again))) }
    },
    expectCall: expectForecastCall('compositeLstm'),
  }) as unknown as Forecaster

  /** What writes so many frames of a start: logits f32 [steps, N, pixels]. In training a conditional one needs the true frames. */
  function writer(name: string, inputs: number, own: CompositeLstmConfig) {
    const layer = own.conditional ? peephole(name, inputs, own) : alone(name, own)
    const out = nn.linear<number, number>(units, inputs, { init: spread(own.init), name: `${name}Pixels` })
    const write = (start: States, steps: number, rows: number, truth?: Tensor<'f32'>): Tensor<'f32'> => {
      // The first frame has none before it that it could be given.
      const nothing = zeros([1, rows, inputs])
      if (!own.conditional) return out(layer.run(zeros([steps, rows, 1]) as nn.Features, { start }).output)
      if (traceMode() === 'train') {
        if (truth === undefined) throw new ShapeError('compositeLstm: expected a target in training, got none')
        const before = steps === 1 ? nothing : concat([nothing, slice(truth, [0, 0, 0], [steps - 1, rows, inputs])], 0)
        return out(layer.run(before as nn.Features, { start }).output)
      }
      const logits: Tensor<'f32'>[] = []
      let [states, before]: [States, Tensor<'f32'>] = [start, nothing]
      for (let t = 0; t < steps; t++) {
        const { output, last } = layer.run(before as nn.Features, { start: states })
        const one: Tensor<'f32'> = out(output)
        logits.push(one)
        states = last
        before = sigmoid(one)
      }
      return concat(logits, 0)
    }
    return { layers: [layer, out] as const, write }
  }
}

const spread = (most: number): nn.Initializer => nn.init.uniform(-most, most)

function peephole(name: string, inputs: number, { units, init, peepholeInit }: CompositeLstmConfig) {
  return nn.peepholeLstm<number, number>({
    ...{ name, inputs, units, init: spread(init), peepholeInit: spread(peepholeInit) },
  })
}

/** An LSTM that is given nothing but the states that it starts from: its x says how many steps and rows there are. */
function alone(name: string, { units, init, peepholeInit }: CompositeLstmConfig) {
  const u = nn.parameter('u', [units, 4 * units], spread(init), { in: units, out: units })
  const b = nn.parameter('b', [4 * units], nn.init.zeros)
  const p = nn.parameter('p', [3, units], spread(peepholeInit))
  return nn.recurrent<'h' | 'c'>(
    {
      kind: 'peepholeLstm',
      parameters: [u, b, p],
      states: () => ({ h: [units], c: [units] }),
      inputs: () => [],
      step: (_, { h, c }) => {
        const z = add<'f32', Shape, Shape>(recurrentProduct(h, read(u)), read(b))
        return peepholeStep(z, c, read(p))
      },
    },
    { name },
  )
}
