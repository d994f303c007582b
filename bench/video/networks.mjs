// The networks that predict frames whose steps are measured, what they learn, and sequences for them.
import { movingMnist } from '../../dist/data/index.js'
import { models, nn, ops } from '../steps/library.mjs'

const tiny = { ...models.smallConvLstm, layers: [4, 3], peepholes: true, future: 3 }
/** `kind`: the model that `config` is of; `batch`: sequences in a step; `rate`: of Adam. `tiny` and `tinyNext` try the benchmarks themselves. */
export const networks = {
  small: { kind: 'nextFrameConvLstm', config: models.smallConvLstm, batch: 4, rate: 1e-3 },
  shi: { kind: 'convLstmForecaster', config: models.shiConvLstm, batch: 2, rate: 1e-3 },
  tiny: { kind: 'convLstmForecaster', config: tiny, batch: 2, rate: 1e-2 },
  tinyNext: { kind: 'nextFrameConvLstm', config: tiny, batch: 2, rate: 1e-2 },
}

export const makeOf = ({ kind, config }) => models[kind](config)

/** Cross-entropy of a frame, summed over its pixels: a mean over frames and sequences. */
const nats = (logits, frames) => {
  const pixels = frames.shape.slice(2).reduce((product, extent) => product * extent, 1)
  return ops.mul(nn.binaryCrossEntropy(logits, frames), pixels)
}

/** Of the frames that follow, and of those that are seen where a network predicts them too. */
export const objectiveOf =
  (net) =>
  ({ x, target }) => {
    const { output, next } = net.run(x, {})
    const loss = nats(output, target)
    return { loss: next === undefined ? loss : ops.add(loss, nats(next, ops.slice(x, [1, 0, 0, 0, 0], next.shape))) }
  }

/** So many sequences of Moving MNIST, always the same. */
export const sequencesOf = async (count, future) => (await movingMnist({ train: count, future })).train
