// Averaged weights against the mean, in double precision, of the weights that the same run without averaging goes through: when
// the average begins, what it is, who sees it, and that training itself goes on as if there were none.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FieldArray } from '../../lib/data/index.js'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import { load } from '../../lib/infer/index.js'
import { type Session } from '../../lib/train/index.js'
import { all, classes, images, options, perceptron, side, using } from './tasks.js'

type Weights = Record<string, Float32Array>
const [patience, epochs] = [2, 14]
// So high a rate that the validation loss soon goes up and down.
const rate = 1.2
const more = { data: { train: images(32), validation: images(64, 5) }, batch: 32, epochs }
const plain = () => optim.sgd({ rate })
const averaged = () => optim.sgd({ rate, average: { patience } })
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-averaging-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const weights = async (run: Session): Promise<Weights> => (await run.parameters()) as Weights

/** All examples of a data set as one batch. */
async function batchOf(data: ReturnType<typeof images>): Promise<Record<string, FieldArray>> {
  const rows = Uint32Array.from({ length: data.length }, (_, i) => i)
  const all: Record<string, FieldArray> = {
    x: new Uint8Array(rows.length * side * side),
    target: new Int32Array(rows.length),
  }
  await data.gather(rows, all as never)
  return all
}

interface Walk {
  /** Weights, training loss and validation loss after each epoch, which is one step. */
  readonly weights: readonly Weights[]
  readonly losses: readonly number[]
  readonly validation: readonly number[]
  /** Epochs, from 0, that were told to be averaged. */
  readonly averaged: readonly boolean[]
}

async function walk(optimizer: optim.Optimizer): Promise<Walk> {
  return using(perceptron(), { ...more, optimizer }, async (run) => {
    const seen = {
      weights: [] as Weights[],
      losses: [] as number[],
      validation: [] as number[],
      averaged: [] as boolean[],
    }
    for await (const event of run.events()) {
      if (event.type !== 'epoch') continue
      seen.weights.push(await weights(run))
      seen.losses.push(event.loss)
      seen.validation.push(event.validation.loss)
      seen.averaged.push(event.averaged ?? false)
    }
    return seen
  })
}

/** Algorithm 1 of the paper: the epoch, from 0, at whose end the average begins. */
function begins(validation: readonly number[], from = 0): number {
  return validation.findIndex(
    (loss, t) => t >= from && t > patience && loss > Math.min(...validation.slice(0, t - patience)),
  )
}

function mean(list: readonly Weights[]): Record<string, number[]> {
  const names = Object.keys(list[0]!)
  return Object.fromEntries(
    names.map((name) => [
      name,
      Array.from(list[0]![name]!, (_, i) => list.reduce((sum, one) => sum + one[name]![i]!, 0) / list.length),
    ]),
  )
}

function expectClose(got: Weights, wanted: Record<string, ArrayLike<number>>): void {
  for (const [name, values] of Object.entries(wanted)) {
    for (let i = 0; i < values.length; i++) {
      expect(Math.abs(got[name]![i]! - values[i]!), `${name}[${i}]`).toBeLessThan(2e-6)
    }
  }
}

describe('averaging', () => {
  it('begins where the validation loss stalls, and is the mean of the weights from there on', async () => {
    const path = await walk(plain())
    const first = begins(path.validation)
    // Neither at once nor at the end: both sides of the beginning are looked at.
    expect(first).toBeGreaterThan(patience)
    expect(first).toBeLessThan(epochs - 3)
    const own = await walk(averaged())
    expect(own.averaged).toEqual(path.validation.map((_, epoch) => epoch >= first))
    expect(own.losses).toEqual(path.losses)
    expect(own.validation.slice(0, first + 1)).toEqual(path.validation.slice(0, first + 1))
    expect(own.validation.slice(first + 1)).not.toEqual(path.validation.slice(first + 1))
    for (const [epoch, weights] of own.weights.entries()) {
      if (epoch <= first) expect(weights).toEqual(path.weights[epoch])
      else expectClose(weights, mean(path.weights.slice(first, epoch + 1)))
    }
  })

  it('is what a checkpoint holds and a model loads; a run goes on from it bit for bit', async () => {
    const path = join(folder, 'averaged.safetensors')
    const whole = await using(perceptron(), { ...more, optimizer: averaged() }, async (run) => {
      for await (const event of run.events()) {
        if (event.type !== 'epoch' || event.epoch !== epochs - 2) continue
        expect(event.averaged).toBe(true)
        await run.save(path)
        await using loaded = await load(path, perceptron(), { device: options().device ?? 'auto' })
        expect(await loaded.parameters()).toEqual(await weights(run))
      }
      return { weights: await weights(run), metrics: await run.evaluate() }
    })
    await using(perceptron(), { ...more, optimizer: averaged() }, async (run) => {
      await run.resume(path)
      await run.run()
      expect({ weights: await weights(run), metrics: await run.evaluate() }).toEqual(whole)
    })
  })

  it('leaves a run that is looked at and left in the middle of an epoch as it was', async () => {
    const small = { ...more, batch: 8, optimizer: averaged() }
    const whole = await using(perceptron(), small, async (run) => {
      await run.run()
      return weights(run)
    })
    await using(perceptron(), { ...small, optimizer: averaged() }, async (run) => {
      let [looks, done] = [0, false]
      while (!done) {
        for await (const event of run.events()) {
          if (event.type === 'end') done = true
          if (event.type !== 'step' || event.step % 5 !== 0) continue
          looks++
          await run.evaluate()
          if (event.step % 10 === 0) break
        }
      }
      expect(looks).toBeGreaterThan(5)
      expect(await weights(run)).toEqual(whole)
    })
  })

  it('lets a session be disposed of within its loop', async () => {
    await using(perceptron(), { ...more, optimizer: averaged() }, async (run) => {
      for await (const event of run.events()) {
        if (event.step !== 2) continue
        await run.dispose()
        break
      }
      expect(() => run.step).not.toThrow()
    })
  })

  it('works beside the copies in half precision', async () => {
    await using(perceptron(), { ...more, optimizer: averaged(), precision: 'bf16' }, async (run) => {
      const events = await all(run.events())
      const last = events.findLast((event) => event.type === 'epoch')
      expect(last?.averaged).toBe(true)
      const path = join(folder, 'half.safetensors')
      await run.save(path)
      await using loaded = await load(path, perceptron(), { device: options().device ?? 'auto', precision: 'bf16' })
      // The copies are those of the averages, not of the weights that were trained.
      const evaluated = await loaded.evaluate({ data: images(64, 5), loss: nn.crossEntropy, batch: 32 })
      expect(evaluated).toEqual(await run.evaluate())
      expect(evaluated).toEqual(last?.validation)
    })
  })

  it('is kept apart where two networks share an optimiser', async () => {
    const shared = averaged()
    const wide = nn.sequential(nn.flatten(), nn.linear(side * side, classes))
    const path = join(folder, 'shared.safetensors')
    await using(perceptron(), { ...more, optimizer: shared }, (run) => run.run())
    await using(wide, { ...more, optimizer: shared }, async (run) => {
      await run.run()
      await run.save(path)
      expect(Object.keys(await run.parameters())).toEqual(['linear1/w', 'linear1/b'])
    })
    await using loaded = await load(path, wide, { device: options().device ?? 'auto' })
    expect(Object.keys(await loaded.parameters())).toEqual(['linear1/w', 'linear1/b'])
  })

  it('needs validation data, and waits where a loss is not a number', async () => {
    await expect(
      using(perceptron(), { ...more, data: images(32), optimizer: averaged() }, (run) => run.run()),
    ).rejects.toThrow('session[data]: expected validation data, whose loss says when to average the weights, got none')
    // No batch of validation data in the fourth and fifth epoch: nothing can be measured.
    let epoch = 0
    const { train } = more.data
    const fields = train.fields
    const held = await batchOf(images(32, 5))
    const data = { train, fields, validation: () => ([3, 4].includes(epoch++) ? [] : [held]) }
    const seen = await using(perceptron(), { ...more, data, optimizer: averaged() }, (run) => all(run.events()))
    const epochsSeen = seen.flatMap((event) => (event.type === 'epoch' ? [event] : []))
    expect(epochsSeen.slice(2, 6).map(({ validation }) => Number.isNaN(validation.loss))).toEqual([
      false,
      true,
      true,
      false,
    ])
    const first = epochsSeen.findIndex(({ averaged }) => averaged === true)
    // A loss of NaN is worse than any, yet begins nothing.
    expect(first).toBe(
      begins(
        epochsSeen.map(({ validation: { loss } }) => (Number.isNaN(loss) ? 1e30 : loss)),
        5,
      ),
    )
    expect(first).toBeGreaterThan(4)
  })

  it('refuses a look at the weights within another, which would wait for itself', async () => {
    const held = await batchOf(images(32, 5))
    const looked: unknown[] = []
    const train = images(32)
    const box: { run?: Session } = {}
    async function* validation() {
      looked.push(await box.run!.parameters().catch((error: unknown) => error))
      yield held
    }
    await using(
      perceptron(),
      { ...more, epochs: 2, data: { train, fields: train.fields, validation } },
      async (run) => {
        box.run = run
        await run.run()
      },
    )
    expect(looked).toHaveLength(2)
    for (const error of looked) expect(error).toMatchObject({ code: 'ERR_STATE' })
  })

  it('begins as written down for a patience of 1', async () => {
    const optimizer = optim.sgd({ rate, average: { patience: 1 } })
    const path = await walk(plain())
    const own = await walk(optimizer)
    const first = path.validation.findIndex((loss, t) => t > 1 && loss > Math.min(...path.validation.slice(0, t - 1)))
    expect(own.averaged.indexOf(true)).toBe(first)
  })

  it('refuses options that are none', () => {
    for (const average of [true, 3] as unknown[]) {
      expect(() => optim.sgd({ rate: 1, average: average as object })).toThrow(
        'optim.sgd[average]: expected an object, got',
      )
    }
  })

  it('refuses a patience that is none', () => {
    for (const patience of [0, 1.5]) {
      expect(() => optim.sgd({ rate: 1, average: { patience } })).toThrow(
        `average: expected patience to be a whole number of at least 1, got ${patience}`,
      )
    }
  })
})
