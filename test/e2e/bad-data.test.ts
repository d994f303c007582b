// Bad data that only the device can see: the run says which element, and nothing is lost.
import { describe, expect, it } from 'vitest'
import { arrays } from '../../lib/data/index.js'
import { classes, images, perceptron, side, using } from './tasks.js'

const pixels = side * side
const batch = 16

/** The first `length` of the small images; label 35, in the third and last batch, is replaced. */
async function spoilt(length: number, label: number) {
  const [x, target] = [new Uint8Array(length * pixels), new Int32Array(length)]
  const first = Uint32Array.from({ length }, (_, i) => i)
  await images(160).gather(first, { x, target })
  if (length > 35) target[35] = label
  return arrays({ x: { data: x, shape: [1, side, side] }, target })
}

describe('a label that is no class', () => {
  it.for([classes, -1, 1 << 30])('%i is named with its row, and the weights stay as they were', async (label) => {
    const x = Uint8Array.from({ length: 4 * pixels }, (_, i) => i % 100)
    const goodBatches = { data: await spoilt(2 * batch, label), shuffle: false, batch }
    const before = await using(perceptron(), goodBatches, async (run) => {
      await run.run()
      return run.predict(x)
    })
    await using(perceptron(), { ...goodBatches, data: await spoilt(3 * batch, label) }, async (run) => {
      const text = `step 3: crossEntropy[]: expected labels 0..${classes - 1}, got ${label} at row 3`
      await expect(run.run()).rejects.toMatchObject({
        code: 'ERR_DATA',
        message: expect.stringContaining(text) as string,
      })
      expect(await run.predict(x)).toEqual(before)
    })
  })
})
