// The networks that are measured, and what they learn.
import { models, ops } from '../steps/library.mjs'

/** `rate`: of Adam. `tiny` tries the benchmark itself. */
export const networks = {
  street: { config: { ...models.streetViewNumbers, dropout: [0, 0] }, batch: 32, rate: 1e-4 },
  small: { config: { ...models.smallHouseNumbers, dropout: [0, 0] }, batch: 128, rate: 1e-4 },
  tiny: {
    config: {
      ...models.streetViewNumbers,
      ...{ side: 14, units: [4, 6], pools: [2, 1], local: 5, hidden: [12], dropout: [0, 0] },
    },
    ...{ batch: 4, rate: 1e-2 },
  },
}

/** Mean over the images of -log p of their numbers. */
export const objectiveOf = (net) => (labels) => ({ loss: ops.mean(models.numberCosts(net(labels.x), labels)) })

/** Made-up batches: noise, and numbers of every length. */
export function madeUpBatches({ batches, batch, config: { side } }) {
  // A multiplicative generator of 31 bits: the same batches in every run.
  let state = 12_345
  const below = (limit) => {
    state = (state * 48_271) % 2_147_483_647
    return state % limit
  }
  return Array.from({ length: batches }, () => {
    const x = Uint8Array.from({ length: batch * 3 * side * side }, () => below(256))
    const length = Int32Array.from({ length: batch }, () => below(7))
    const digits = Int32Array.from({ length: batch * 5 }, () => below(10))
    const mask = Uint8Array.from(digits, (_, i) => {
      const many = length[Math.floor(i / 5)]
      return Number(i % 5 < many && many <= 5)
    })
    return { count: batch, feeds: { x, length, digits, mask } }
  })
}
