// A session as its users drive it: watched, stopped, measured, used for prediction, compiled into other functions.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { grad } from '../../lib/autodiff/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import { all, convolutional, images, losses, options, perceptron, side, using } from './tasks.js'
import { type Network, session } from '../../lib/train/index.js'

const pixels = side * side

async function everything(set: ReturnType<typeof images>): Promise<{ x: Uint8Array; target: Int32Array }> {
  const x = new Uint8Array(set.length * pixels)
  const target = new Int32Array(set.length)
  await set.gather(
    Uint32Array.from({ length: set.length }, (_, i) => i),
    { x, target },
  )
  return { x, target }
}

describe('events', () => {
  it('come in order, with positions, to the end', async () => {
    await using(perceptron(), { data: { train: images(50), validation: images(20, 9) }, epochs: 2 }, async (run) => {
      const events = await all(run.events())
      expect(events.map((event) => event.type)).toEqual([
        ...['start', 'step', 'step', 'step', 'epoch', 'step', 'step', 'step', 'epoch', 'end'],
      ])
      const steps = events.flatMap((event) =>
        event.type === 'step' ? [[event.epoch, event.step, event.stepInEpoch]] : [],
      )
      expect(steps).toEqual([
        [1, 1, 1],
        [1, 2, 2],
        [1, 3, 3],
        [2, 4, 1],
        [2, 5, 2],
        [2, 6, 3],
      ])
      expect(run.step).toBe(6)
    })
  })

  it('may be left, and go on where they stopped', async () => {
    const whole = await losses(convolutional(), { epochs: 2 })
    await using(convolutional(), { epochs: 2 }, async (run) => {
      const seen: number[] = []
      for await (const event of run.events()) {
        if (event.type === 'step') seen.push(event.loss)
        if (seen.length === 3) break
      }
      const left = run.step
      for await (const event of run.events()) if (event.type === 'step') seen.push(event.loss)
      // Steps in flight when the loop was left are done, not reported.
      expect(seen).toEqual([...whole.slice(0, 3), ...whole.slice(left)])
    })
  })

  it('stop at a signal after the step in flight', async () => {
    const controller = new AbortController()
    await using(perceptron(), { epochs: 100, signal: controller.signal }, async (run) => {
      let last = ''
      for await (const event of run.events()) {
        if (event.type === 'step' && event.step === 5) controller.abort()
        last = event.type
        expect(event.step).toBeLessThan(9)
      }
      expect(last).toBe('stopped')
    })
  })

  it('refuse a second loop at once', async () => {
    await using(perceptron(), {}, async (run) => {
      const first = run.events()
      await first.next()
      await expect(run.events().next()).rejects.toMatchObject({ code: 'ERR_STATE' })
      await first.return()
    })
  })

  it('leave the event loop free', async () => {
    // Steps of many turns of the timer each, on whatever machine: where a step holds the event loop, the timer turns once in a step.
    const [units, every] = [1536, 5]
    const wide = nn.sequential(nn.flatten(), nn.linear(side * side, units), nn.relu(), nn.linear(units, units))
    const net: Network = nn.sequential(wide, nn.relu(), nn.linear(units, units), nn.relu(), nn.linear(units, 5))
    const slow = { device: 'cpu', threads: 1 } as const
    await using(net, { ...slow, data: images(2048), batch: 1024, epochs: 2 }, async (run) => {
      const events = run.events()
      await events.next()
      let turns = 0
      const timer = setInterval(() => turns++, every)
      const began = performance.now()
      let steps = 0
      for await (const event of events) if (event.type === 'step') steps++
      const took = performance.now() - began
      clearInterval(timer)
      expect(took / steps, 'ms of a step').toBeGreaterThan(8 * every)
      // Other work of the machine may take turns of the timer away.
      expect(turns).toBeGreaterThan(took / every / 3)
    })
  })
})

describe('data', () => {
  it('may be an iterable of batches, made for each epoch', async () => {
    const set = images(48)
    const { x, target } = await everything(set)
    const made: number[] = []
    function* batches(epoch: number) {
      made.push(epoch)
      for (let at = 0; at < 48; at += 16)
        yield { x: x.subarray(at * pixels, (at + 16) * pixels), target: target.subarray(at, at + 16) }
    }
    const own = await losses(perceptron(), { data: { train: batches, fields: set.fields }, epochs: 2 })
    expect(made).toEqual([0, 1])
    expect(own).toEqual(await losses(perceptron(), { data: set, shuffle: false, epochs: 2 }))
  })

  it('drops a short last batch in training and counts it in evaluation', async () => {
    const validation = images(37, 5)
    await using(perceptron(), { data: { train: images(40), validation } }, async (run) => {
      const end = await run.run()
      expect(run.step).toBe(2)
      const { x, target } = await everything(validation)
      const scores = await run.predict(x)
      const right = target.reduce((sum, label, i) => {
        const row = [...scores.subarray(5 * i, 5 * i + 5)]
        return sum + Number(row.indexOf(Math.max(...row)) === label)
      }, 0)
      expect(end.validation['accuracy']).toBeCloseTo(right / 37, 6)
      const logs = target.reduce((sum, label, i) => {
        const row = [...scores.subarray(5 * i, 5 * i + 5)]
        const top = Math.max(...row)
        return sum + top + Math.log(row.reduce((total, z) => total + Math.exp(z - top), 0)) - row[label]!
      }, 0)
      expect(end.validation.loss).toBeCloseTo(logs / 37, 4)
    })
  })
})

describe('use', () => {
  it('predicts any number of examples, many calls at once, alike', async () => {
    await using(perceptron(), {}, async (run) => {
      await run.run()
      const { x } = await everything(images(300, 8))
      const whole = await run.predict(x)
      expect(whole).toHaveLength(1500)
      const sizes = [1, 3, 16, 100, 255]
      const parts = await Promise.all(sizes.map((size) => run.predict(x.subarray(0, size * pixels))))
      for (const [i, part] of parts.entries()) {
        expect(part).toHaveLength(5 * sizes[i]!)
        for (const [j, value] of part.entries()) expect(value).toBeCloseTo(whole[j]!, 4)
      }
    })
  })

  it('compiles a gradient with respect to the input over the trained weights', async () => {
    const net = perceptron() as (x: Tensor) => Tensor<'f32'>
    await using(net as never, {}, async (run) => {
      await run.run()
      const attack = await run.compile(
        (x: Tensor<'f32'>, target: Tensor<'i32'>) => {
          const loss = nn.crossEntropy(net(x), target)
          return { loss, gradient: grad(loss, x) }
        },
        { x: [4, 1, side, side], target: [4] },
      )
      const x = Float32Array.from({ length: 4 * pixels }, (_, i) => (i % 13) / 13)
      const target = Int32Array.of(0, 1, 2, 3)
      const { gradient } = await attack.run({ x, target })
      const step = 1e-2
      for (const at of [3, 70, 200]) {
        const shifted = async (by: number) => {
          const moved = Float32Array.from(x, (value, i) => (i === at ? value + by : value))
          return (await attack.run({ x: moved, target })).loss[0]!
        }
        const slope = ((await shifted(step)) - (await shifted(-step))) / (2 * step)
        expect(gradient[at]).toBeCloseTo(slope, 3)
      }
      await expect(attack.run({ x })).rejects.toMatchObject({ code: 'ERR_DATA' })
      attack.dispose()
      await expect(attack.run({ x, target })).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    })
  })

  it('runs two sessions at once as if each were alone', async () => {
    const alone = await losses(convolutional(), {})
    const both = await Promise.all([losses(convolutional(), {}), losses(convolutional(), { seed: 2 })])
    expect(both[0]).toEqual(alone)
    expect(both[1]).not.toEqual(alone)
  })

  it('ends, and says so afterwards', async () => {
    const run = await session(perceptron(), options({ epochs: 50 }))
    const training = run.run().then(
      () => undefined,
      (error: unknown) => error,
    )
    await sleep(20)
    await run.dispose()
    expect(await training).toMatchObject({ code: 'ERR_DISPOSED' })
    await expect(run.evaluate()).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await expect(run.save('x.safetensors')).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await expect(run.run()).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await run.dispose()
  })

  it('trains with any optimiser through one interface', async () => {
    for (const optimizer of [optim.adam({ rate: 0.003 }), optim.rmsprop({ rate: 0.003 })]) {
      const curve = await losses(perceptron(), { optimizer, epochs: 8 })
      expect(curve.at(-1)!).toBeLessThan(0.6 * curve[0]!)
    }
  })
})
