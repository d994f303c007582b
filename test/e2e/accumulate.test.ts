// Several batches as one update, and parameters that stand still: what training makes of these options on a device.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as optim from '../../lib/optim/index.js'
import { convolutional, losses, perceptron, using } from './tasks.js'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-accumulate-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const summed = () => optim.adam({ rate: 0.01, clipNorm: 1, average: { decay: 0.9 }, accumulate: 3 })

describe('gradients of several batches', () => {
  it('are those of one large batch', async () => {
    const more = { shuffle: false, epochs: 2 }
    const rule = (accumulate: number) => optim.sgd({ rate: 0.1, momentum: 0.9, accumulate })
    const trained = (batch: number, accumulate: number) =>
      using(perceptron(), { ...more, batch, optimizer: rule(accumulate) }, async (run) => {
        await run.run()
        return run.parameters()
      })
    const [large, small, plain] = [await trained(32, 1), await trained(16, 2), await trained(16, 1)]
    const apart = (name: string, other: typeof large) =>
      Math.max(...Array.from(large[name]!, (value, i) => Math.abs(value - other[name]![i]!)))
    for (const name of Object.keys(large)) expect(apart(name, small), name).toBeLessThan(1e-5)
    expect(apart('linear1/w', plain)).toBeGreaterThan(1e-3)
  })

  it.each(['f32', 'bf16'] as const)(
    'go on to the bit from a checkpoint within a sum in %s, across epochs',
    async (precision) => {
      // 10 steps an epoch: a sum of three lies across its end.
      const more = { epochs: 2, precision, optimizer: summed() }
      const whole = await using(convolutional(), more, async (run) => {
        await run.run()
        return run.parameters()
      })
      for (const stop of [4, 10]) {
        const path = join(folder, `${precision}-${stop}.safetensors`)
        await using(convolutional(), more, async (run) => {
          for await (const event of run.events()) if (event.type === 'step' && event.step === stop) break
          await run.save(path)
          expect(run.step % 3).not.toBe(0)
        })
        await using(convolutional(), more, async (run) => {
          await run.resume(path)
          await run.run()
          expect(await run.parameters()).toEqual(whole)
        })
      }
    },
  )
})

describe('frozen parameters', () => {
  it('keep their values, while others learn', async () => {
    const optimizer = optim.adamW({ rate: 0.01, groups: [{ match: 'linear1/*', frozen: true }] })
    await using(perceptron(), { epochs: 2, optimizer }, async (run) => {
      const before = await run.parameters()
      await run.run()
      const after = await run.parameters()
      expect(after['linear1/w']).toEqual(before['linear1/w'])
      expect(after['linear1/b']).toEqual(before['linear1/b'])
      expect(after['linear2/w']).not.toEqual(before['linear2/w'])
    })
  })

  it('must leave something to train, and be there', async () => {
    const training = (match: string) =>
      losses(perceptron(), { optimizer: optim.sgd({ rate: 0.1, groups: [{ match, frozen: true }] }) })
    await expect(training('**')).rejects.toThrow('session[optimizer]: expected a parameter to train')
    await expect(training('linaer1/**')).rejects.toThrow('got linaer1/**; the nearest is linear1/')
  })
})
