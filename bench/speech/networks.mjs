// The networks that are measured, what they learn, and what the other side needs to compute the same.
import { frameMoments } from '../../dist/train/index.js'
import { feed, models, nn, openDevice, Programs, StateStore } from '../steps/library.mjs'

/** `seconds` and `labels`: of the longest line; `rate`: of Adam. `tiny` tries the benchmarks themselves. */
export const networks = {
  // Without what makes steps of time ops of their own, and what two libraries draw differently; of 300 frames.
  graves: {
    config: { ...models.gravesSpeech, peepholes: false, weightNoise: 0, classes: 62 },
    ...{ seconds: 3.015, labels: 45, batch: 32, rate: 1e-3 },
  },
  tiny: {
    config: { ...models.gravesSpeech, peepholes: false, weightNoise: 0, classes: 6, layers: 2, units: 12 },
    ...{ seconds: 0.415, labels: 5, batch: 4, rate: 1e-2 },
  },
}

export const makeOf = (config) => models.speech(config)

/** Mean over the lines of -log of the probability of their labels. */
export const objectiveOf =
  (net) =>
  ({ samples, sampleLengths, labels, labelLengths }) => {
    const { output, lengths } = net.run(samples, { lengths: sampleLengths })
    return { loss: nn.ctcLoss(output, labels, labelLengths, lengths) }
  }

/** The config with the moments of a set's numbers, as plain lists. */
export async function withMoments(config, set, threads) {
  const net = makeOf(config)
  const numbers = ({ samples, sampleLengths }) => net.features(samples, sampleLengths)
  const { mean, deviation } = await frameMoments(set, numbers, { device: 'cpu', threads })
  return { ...config, features: { ...config.features, moments: { mean: [...mean], deviation: [...deviation] } } }
}

/** The matrix of the filters, row-major [points / 2 + 1, filters]; twice, where squares of magnitudes are let through. */
export async function filtersOf(banks) {
  const device = await openDevice({ device: 'cpu', threads: 1 })
  const store = new StateStore(device)
  const layer = nn.filterBanks(banks)
  const body = () => ({ numbers: layer(feed('samples', 'f32', [banks.rate, 1])) })
  const { states } = await new Programs(device, store, 1).build(
    { name: 'filters', mode: 'eval', precision: 'f32' },
    body,
  )
  const { variable } = states.find((state) => state.variable.label === 'filters')
  const values = new Float32Array(variable.count)
  await store.get(variable).buffer.read(values)
  await device.dispose()
  return [...values]
}
