// Predicts frames one after another by one stack of convolutional LSTMs over patches: after each frame that it sees, the next one; then, from
// its own predictions, those that follow. All outputs of the stack become the logits of a frame. Layers: Shi et al. 2015, "Convolutional LSTM
// network: a machine learning approach for precipitation nowcasting", eq. 3. One network that predicts what comes next and is fed with it:
// Graves 2013, "Generating sequences with recurrent neural networks", section 2.
import { type Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'
import { runnable } from '../nn/runnable.js'
import { concat, reshape, sigmoid, slice } from '../ops/index.js'
import { type ConvLstmForecasterConfig, expectConvLstmConfig, layerOf } from './conv-lstm-forecaster.js'
import {
  expectForecastCall,
  type Film,
  filmOfPatches,
  filmOfPixels,
  type Forecast,
  type ForecastCall,
  type Forecaster,
} from './forecaster.js'

type State = nn.States<'h' | 'c'>

/**
 * Frames f32 [T, N, channels, height, width] from 0 to 1 -> logits f32 [future, N, channels, height, width]. Of more than one frame `run` also
 * gives the logits of those that were seen, from the second on, as `next`.
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for an x of other extents, and sides that are no multiple of the patch
 * @see Shi et al. 2015, eq. 3; Graves 2013, section 2.
 * @example nextFrameConvLstm(smallConvLstm) // [10, 8, 1, 64, 64] -> [10, 8, 1, 64, 64]
 */
export function nextFrameConvLstm(config: ConvLstmForecasterConfig): Forecaster {
  expectConvLstmConfig('nextFrameConvLstm', config)
  const { future, channels, patch, layers } = config
  const pixels = channels * patch ** 2
  const stack = layers.map((own, i) => layerOf(config, `layer${i + 1}`, i === 0 ? pixels : layers[i - 1]!, own))
  const all = layers.reduce((sum, own) => sum + own, 0)
  const frame = nn.conv2d(all, pixels, { kernel: 1, init: nn.init.glorotUniform, name: 'frame' })

  /** Patches [T, N, pixels, rows, columns] -> logits of the frame after each, of the same extents, and the states after the last. */
  function steps(x: Tensor<'f32'>, start?: readonly State[]): { logits: Tensor<'f32'>; last: readonly State[] } {
    const [times = 1, rows = 1, , ...places] = x.shape
    let y = x
    const outputs: Tensor<'f32'>[] = []
    const last = stack.map((layer, i) => {
      const run = layer.run(y as Film, start && { start: start[i]! })
      y = run.output
      outputs.push(y)
      return run.last
    })
    const logits = frame(reshape(concat(outputs, 2), [times * rows, all, ...places]) as nn.Images)
    return { logits: reshape<'f32', readonly number[]>(logits, x.shape), last }
  }

  return runnable<ForecastCall, Forecast>({
    kind: 'nextFrameConvLstm',
    name: 'nextFrameConvLstm',
    children: [...stack, frame],
    compute: (x, call) => {
      const seen = filmOfPatches('nextFrameConvLstm', x, channels, patch)
      const [given, ...rest] = seen.shape
      const of = (film: Tensor<'f32'>, from: number, count: number) => slice(film, [from, 0, 0, 0, 0], [count, ...rest])
      const read = steps(seen)
      const ahead: Tensor<'f32'>[] = [of(read.logits, given - 1, 1)]
      for (let { last } = read; ahead.length < future;) {
        const next = steps(sigmoid<'f32', readonly number[]>(ahead.at(-1)!), last)
        ahead.push(next.logits)
        last = next.last
      }
      const output = filmOfPixels(concat(ahead, 0), patch)
      if (call === undefined) return output
      return { output, ...(given > 1 && { next: filmOfPixels(of(read.logits, 0, given - 1), patch) }) }
    },
    expectCall: expectForecastCall('nextFrameConvLstm'),
  }) as unknown as Forecaster
}
