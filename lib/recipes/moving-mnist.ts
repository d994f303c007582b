// Moving MNIST: networks that see ten frames and predict the ten that follow, trained on sequences that are made as they are read, others in every
// epoch. Numbers of networks that had 10,000 fixed sequences to train on (Shi et al. 2015: 367.1 nats per frame) do not compare with these.
import { peakSignalToNoise, structuralSimilarity } from '../data/index.js'
import type { Tensor } from '../graph/index.js'
import {
  compositeLstm,
  convLstmForecaster,
  type Film,
  type Forecaster,
  nextFrameConvLstm,
  shiConvLstm,
  smallConvLstm,
  srivastavaComposite,
} from '../models/index.js'
import * as nn from '../nn/index.js'
import { abs, add, mul, sigmoid, slice, square, sub, sum } from '../ops/index.js'
import * as optim from '../optim/index.js'
import { measures, type Objective } from '../train/index.js'
import { movingDigitsSource } from './data-sources.js'
import { chosen, type DataSource, fieldOf, type Recipe, type RecipeOptions, type Target } from './recipe.js'

/** How to read what is measured. Errors are sums over the pixels of a frame, means over frames and sequences. */
export const frameInfos = {
  crossEntropy: { better: 'less', format: { digits: 1, unit: 'nats' }, title: 'cross-entropy' },
  squaredError: { better: 'less', format: { digits: 2 }, title: 'squared error' },
  absoluteError: { better: 'less', format: { digits: 2 }, title: 'absolute error' },
  similarity: { better: 'more', format: { digits: 4 }, title: 'structural similarity' },
  noise: { better: 'more', format: { digits: 2, unit: 'dB' }, title: 'peak signal-to-noise ratio' },
} as const satisfies Readonly<Record<string, measures.MeasureInfo>>

/** Cross-entropy of frames, summed over pixels, a mean over frames and sequences: logits and pixels f32 [T, N, ...] -> []. */
function nats(logits: Tensor<'f32'>, pixels: Tensor<'f32'>): Tensor<'f32'> {
  const [, , ...frame] = pixels.shape
  return mul(
    nn.binaryCrossEntropy(logits, pixels),
    frame.reduce((product, extent) => product * extent, 1),
  )
}

/** The mean over all frames of what the host makes of each plane of a frame and of what was predicted of it. */
function ofPlanes(
  info: measures.MeasureInfo,
  predicted: Tensor<'f32'>,
  truth: Tensor<'f32'>,
  of: (predicted: Float32Array, truth: Float32Array) => number,
): measures.HostMeasure {
  const plane = truth.shape.slice(-2).reduce((product, extent) => product * extent, 1)
  return measures.host({
    ...info,
    outputs: { predicted, truth },
    tally() {
      let [total, count] = [0, 0]
      return {
        add(outputs) {
          for (let at = 0; at < outputs.truth.length; at += plane, count++) {
            total += of(outputs.predicted.subarray(at, at + plane), outputs.truth.subarray(at, at + plane))
          }
        },
        value: () => total / count,
      }
    },
  })
}

/** What is learned of the frames that follow, and of those that were seen where a network writes them again or predicts them too. */
function objectiveOf(net: Forecaster): Objective {
  return (fields) => {
    const [seen, truth] = [fieldOf(fields, 'x', 'f32'), fieldOf(fields, 'target', 'f32')]
    const { output, past, next } = net.run(seen, { target: truth })
    const [frames = 1, rows = 1, , height = 1, width = 1] = truth.shape
    const ahead = nats(output, truth)
    const losses = [ahead]
    if (past !== undefined) losses.push(nats(past, seen))
    if (next !== undefined) losses.push(nats(next, slice(seen, [1, 0, 0, 0, 0], next.shape)))
    const predicted: Tensor<'f32'> = sigmoid<'f32', readonly number[]>(output)
    const error = sub<'f32', readonly number[], readonly number[]>(predicted, truth)
    const mean = (info: measures.MeasureInfo, total: Tensor<'f32'>): measures.MeanMeasure =>
      measures.mean({ ...info, sum: total, count: frames * rows })
    const { crossEntropy, squaredError, absoluteError, similarity, noise } = frameInfos
    return {
      loss: losses.reduce((sum, one) => add(sum, one)),
      crossEntropy: mean(crossEntropy, mul(ahead, frames * rows)),
      squaredError: mean(squaredError, sum(square(error))),
      absoluteError: mean(absoluteError, sum(abs(error))),
      similarity: ofPlanes(similarity, predicted, truth, (a, b) => structuralSimilarity(a, b, { height, width })),
      noise: ofPlanes(noise, predicted, truth, peakSignalToNoise),
    }
  }
}

interface Moving {
  readonly name: string
  readonly title: string
  readonly paper: string
  readonly target: Target
  readonly data: DataSource
  /** Training sequences of an epoch. */
  readonly sequences: number
  readonly net: () => Forecaster
  readonly defaults: Required<Pick<RecipeOptions, 'epochs' | 'batch' | 'rate'>>
  readonly optimizer: (rate: number, total: number) => optim.Optimizer
}

const frames = { dtype: 'u8', shape: [10, 1, 64, 64], batchAxis: 1 } as const

function recipe({ name, title, paper, target, data, sequences, net: make, defaults, optimizer }: Moving): Recipe {
  return {
    ...{ name, title, paper, target, data },
    build(options = {}) {
      const { epochs = defaults.epochs, batch = defaults.batch, rate = defaults.rate } = chosen(options)
      const forecaster = make()
      return {
        net: (x) => forecaster(x as Film),
        forecaster,
        loss: nn.binaryCrossEntropy,
        objective: objectiveOf(forecaster),
        infos: frameInfos,
        optimizer: optimizer(rate, Math.max(20, epochs * Math.floor(sequences / batch))),
        ...{ batch, epochs, rate },
        unit: 'sequences',
        example: frames,
        fields: { x: frames, target: frames },
      }
    },
  }
}

const shi =
  'Shi et al. 2015, "Convolutional LSTM network: a machine learning approach for precipitation nowcasting"; endless training sequences'
const srivastava =
  'Srivastava, Mansimov & Salakhutdinov 2015, "Unsupervised learning of video representations using LSTMs"; endless training sequences'

/** Two convolutional LSTMs of 64 channels that predict each next frame: what two cores train in an hour. */
export const movingMnistSmall = recipe({
  name: 'moving-mnist-small',
  title: 'A small ConvLSTM predicts ten frames of two moving digits, each from those before it',
  paper: shi,
  target: { metric: 'test cross-entropy', of: 'crossEntropy', value: 400 },
  data: movingDigitsSource({ train: 2500, validation: 400 }),
  sequences: 2500,
  net: () => nextFrameConvLstm(smallConvLstm),
  defaults: { epochs: 60, batch: 4, rate: 6e-3 },
  optimizer: (rate, total) => optim.adam({ rate: optim.oneCycle(rate, { total, rise: 0.1 }) }),
})

/** The paper's network and optimiser; the number is OpenSTL's ConvLSTM at 200 epochs, of the file that was published. Not trained yet. */
export const movingMnistConvLstm = recipe({
  name: 'moving-mnist-convlstm',
  title: 'A ConvLSTM of 128, 64 and 64 channels predicts ten frames of two moving digits',
  paper: shi,
  target: { metric: 'test squared error', of: 'squaredError', value: 29.8 },
  data: movingDigitsSource(),
  sequences: 10_000,
  net: () => convLstmForecaster(shiConvLstm),
  defaults: { epochs: 200, batch: 16, rate: 1e-3 },
  optimizer: (rate) => optim.rmsprop({ rate, smoothing: 0.9 }),
})

/** The gradient of the paper's code is a sum over the batch and ten frames, where ours is a mean of both. */
const summed = 10 * 80

/** The paper's best network, with the optimiser of its code: 30,000 steps of it, as the paper tells no number. Not trained yet. */
export const movingMnistLstm = recipe({
  name: 'moving-mnist-lstm',
  title:
    'A composite LSTM of 2,048 units predicts ten frames of two moving digits, and writes again the ten that it saw',
  paper: srivastava,
  target: { metric: 'test cross-entropy', of: 'crossEntropy', value: 341.2 },
  data: movingDigitsSource(),
  sequences: 10_000,
  net: () => compositeLstm(srivastavaComposite),
  defaults: { epochs: 240, batch: 80, rate: 1e-4 * summed },
  optimizer: (rate) =>
    optim.sgd({
      rate: optim.stepDecay(rate, { every: 10_000, factor: 0.9 }),
      ...{ momentum: 0.9, rateInVelocity: true, mostStep: 1e-4, weightDecay: 1e-4 / summed },
      groups: [{ match: '**/b', weightDecay: 0 }],
    }),
})
