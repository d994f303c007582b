// The networks that predict frames whose steps are measured, what they learn, and sequences for them.
import { movingMnist } from '../../dist/data/index.js'
import { models, nn, ops } from '../steps/library.mjs'

/** `batch`: sequences in a step; `rate`: of Adam. `tiny` tries the benchmarks themselves. */
export const networks = {
  small: { config: models.smallConvLstm, batch: 8, rate: 1e-3 },
  shi: { config: models.shiConvLstm, batch: 2, rate: 1e-3 },
  tiny: { config: { ...models.smallConvLstm, layers: [4, 3], peepholes: true, future: 3 }, batch: 2, rate: 1e-2 },
}

export const makeOf = (config) => models.convLstmForecaster(config)

/** Cross-entropy of a frame, summed over its pixels: a mean over frames and sequences. */
export const objectiveOf =
  (net) =>
  ({ x, target }) => {
    const pixels = target.shape.slice(2).reduce((product, extent) => product * extent, 1)
    return { loss: ops.mul(nn.binaryCrossEntropy(net.run(x, {}).output, target), pixels) }
  }

/** So many sequences of Moving MNIST, always the same. */
export const sequencesOf = async (count, future) => (await movingMnist({ train: count, future })).train
