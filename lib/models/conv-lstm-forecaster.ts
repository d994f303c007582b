// Predicts frames by two stacks of convolutional LSTMs over patches: one reads the frames that are seen, the other starts from the states that
// this leaves, from the topmost down, and is given nothing more. All its outputs together become the logits of a frame. Shi et al. 2015,
// "Convolutional LSTM network: a machine learning approach for precipitation nowcasting", section 3.2 and figure 3.
// To reach on Moving MNIST: 367.1 nats per frame, as published, of 10,000 fixed training sequences.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { read, type Tensor } from '../graph/index.js'
import { convLstmStep } from '../nn/conv-lstm2d.js'
import * as nn from '../nn/index.js'
import { forgetful } from '../nn/recurrent.js'
import { runnable } from '../nn/runnable.js'
import { concat, conv2d, reshape, zeros } from '../ops/index.js'
import {
  expectForecastCall,
  type Film,
  filmOfPatches,
  filmOfPixels,
  type Forecast,
  type ForecastCall,
  type Forecaster,
} from './forecaster.js'

/** Knobs of `convLstmForecaster`. */
export interface ConvLstmForecasterConfig {
  /** Frames that are predicted. */
  readonly future: number
  /** Of a frame: 1 or 3. */
  readonly channels: number
  /** Squares of so many pixels a side become the channels of one place. */
  readonly patch: number
  /** Channels of each layer of the stack that reads, from the first up; those of the other are the same, from the last down. */
  readonly layers: readonly number[]
  /** Of all convolutions, odd. */
  readonly kernel: number
  /** Whether gates see the cells, by a weight for each channel. */
  readonly peepholes: boolean
  /** Added to the first bias of forget gates. Default: 0. */
  readonly forgetBias?: number
}

/** The paper's best network of Moving MNIST: 7,585,296 weights. */
export const shiConvLstm: ConvLstmForecasterConfig = {
  future: 10,
  channels: 1,
  patch: 4,
  layers: [128, 64, 64],
  kernel: 5,
  peepholes: true,
}

/** What two cores train in an hour. */
export const smallConvLstm: ConvLstmForecasterConfig = {
  future: 10,
  channels: 1,
  patch: 4,
  layers: [64, 64],
  kernel: 3,
  peepholes: false,
  forgetBias: 1,
}

const count = is.needed(is.whole(1))
const odd = is.kind('an odd number', (value) => Number.isInteger(value) && (value as number) % 2 === 1)
const schema: Schema<ConvLstmForecasterConfig> = {
  future: count,
  channels: count,
  patch: count,
  layers: is.needed(is.listOf(is.whole(1), 'numbers of channels')),
  kernel: is.needed(odd),
  peepholes: is.needed(is.flag),
  forgetBias: is.finite,
}

/**
 * Frames f32 [T, N, channels, height, width] from 0 to 1 -> logits f32 [future, N, channels, height, width].
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for an x of other extents, and sides that are no multiple of the patch
 * @see Shi et al. 2015, section 3.2.
 * @example convLstmForecaster(shiConvLstm) // [10, 16, 1, 64, 64] -> [10, 16, 1, 64, 64]
 */
export function convLstmForecaster(config: ConvLstmForecasterConfig): Forecaster {
  expectConvLstmConfig('convLstmForecaster', config)
  const { future, channels, patch, layers } = config
  const pixels = channels * patch ** 2
  const readers = layers.map((own, i) => layerOf(config, `reader${i + 1}`, i === 0 ? pixels : layers[i - 1]!, own))
  const down = layers.toReversed()
  const first = alone('writer1', down[0]!, config)
  const writers = down.slice(1).map((own, i) => layerOf(config, `writer${i + 2}`, down[i]!, own))
  const all = layers.reduce((sum, own) => sum + own, 0)
  const frame = nn.conv2d(all, pixels, { kernel: 1, init: nn.init.glorotUniform, name: 'frame' })
  return runnable<ForecastCall, Forecast>({
    kind: 'convLstmForecaster',
    name: 'convLstmForecaster',
    children: [...readers, first, ...writers, frame],
    compute: (x, call) => {
      let y = filmOfPatches('convLstmForecaster', x, channels, patch)
      const [, rows, , ...places] = y.shape
      const states = readers.map((layer) => {
        const { output, last } = layer.run(y, {})
        y = output
        return last
      })
      states.reverse()
      const nothing = zeros([future, rows, 1, ...places])
      let above: Tensor<'f32'> = first.run(nothing, { start: states[0]! }).output
      const outputs = [above]
      for (const [i, layer] of writers.entries()) {
        above = layer.run(above as Film, { start: states[i + 1]! }).output
        outputs.push(above)
      }
      const logits = frame(reshape(concat(outputs, 2), [future * rows, all, ...places]))
      const output = filmOfPixels(reshape(logits, [future, rows, pixels, ...places]), patch)
      return call === undefined ? output : { output }
    },
    expectCall: expectForecastCall('convLstmForecaster'),
  }) as unknown as Forecaster
}

/** @throws OstrichError `ERR_OPTION` for knobs that make no network */
export function expectConvLstmConfig(where: string, config: ConvLstmForecasterConfig): void {
  expectOptions(where, config, schema)
  if (config.layers.length === 0) throw new OstrichError('ERR_OPTION', `${where}: expected layers, got none`)
}

/** One layer of a stack. */
export const layerOf = (config: ConvLstmForecasterConfig, name: string, inputs: number, outputs: number) =>
  nn.convLstm2d(inputs, outputs, {
    ...{ name, kernel: config.kernel, peepholes: config.peepholes, biasInit: biasOf(config, outputs) },
  })

const biasOf = ({ forgetBias = 0 }: ConvLstmForecasterConfig, channels: number): nn.Initializer =>
  forgetBias === 0 ? nn.init.zeros : forgetful(nn.init.zeros, channels, forgetBias)

/** A layer that is given nothing but the states that it starts from: its x says how many steps, rows and places there are. */
function alone(name: string, channels: number, config: ConvLstmForecasterConfig) {
  const { kernel, peepholes } = config
  const taps = channels * kernel ** 2
  const u = nn.parameter('u', [4 * channels, channels, kernel, kernel], nn.init.glorotUniform, { in: taps, out: taps })
  const b = nn.parameter('b', [4 * channels], biasOf(config, channels))
  const p = peepholes ? nn.parameter('p', [3, channels], nn.init.zeros) : undefined
  const padding = (kernel - 1) / 2
  return nn.recurrent<'h' | 'c'>(
    {
      kind: 'convLstm',
      parameters: [u, b, ...(p ? [p] : [])],
      states: ([, ...places]) => ({ h: [channels, ...places], c: [channels, ...places] }),
      inputs: () => [],
      step: (_, { h, c }) => convLstmStep(conv2d(h as nn.Images, read(u), { padding, bias: read(b) }), c, p && read(p)),
    },
    { name },
  )
}
