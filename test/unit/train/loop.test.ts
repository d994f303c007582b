// The loop against a session made of arrays: what is in flight when, what is saved, and what a failure leaves.
import { describe, expect, it } from 'vitest'
import type { Batch } from '../../../lib/data/index.js'
import type { TrainEvent } from '../../../lib/train/events.js'
import { Loop, type LoopParts } from '../../../lib/train/loop.js'

interface Run {
  readonly step: number
  readonly finish: (loss: number) => void
  readonly fail: (error: Error) => void
}

/** A device whose runs end when the test says so. */
class Fake {
  readonly runs: Run[] = []
  readonly saved: number[] = []
  inFlight = 0
  most = 0
  position = { epoch: 0, stepInEpoch: 0, step: 0 }
  readonly loop: Loop

  constructor(stepsPerEpoch: number, more: Partial<LoopParts> = {}, instant = true) {
    this.loop = new Loop(
      {
        epochs: 1,
        batch: 4,
        signal: undefined,
        every: {},
        about: {
          ...{ stepsPerEpoch, perStep: 4, padding: undefined, parameters: 1 },
          ...{ device: 'fake', precision: 'f32', threads: 1, measures: {} },
        },
        prepare: () => undefined,
        // eslint-disable-next-line @typescript-eslint/require-await -- a generator of batches that are there already
        async *epoch(epoch, startStep) {
          for (let step = startStep; step < stepsPerEpoch; step++)
            yield { epoch, step, count: 4, feeds: {} } satisfies Batch
        },
        start: (_batch, step) =>
          new Promise<number>((resolve, reject) => {
            this.most = Math.max(this.most, ++this.inFlight)
            const run: Run = {
              step,
              finish: (loss) => {
                this.inFlight--
                resolve(loss)
              },
              fail: (error) => {
                this.inFlight--
                reject(error)
              },
            }
            this.runs.push(run)
            if (instant) setImmediate(run.finish, 1 / step)
          }),
        explainNotFinite: (step, loss) => Promise.resolve(new Error(`step ${step} gave ${loss}`)),
        turn: (start) => {
          start()
          return Promise.resolve()
        },
        endEpoch: (advance) => {
          advance()
          return Promise.resolve({ validation: { loss: 0.5, accuracy: 0.75 }, better: false })
        },
        save: () => {
          expect(this.inFlight, 'runs in flight while saving').toBe(0)
          this.saved.push(this.position.step)
          return Promise.resolve('here')
        },
        warnings: () => [],
        unmeasured: { loss: NaN },
        ended: () => false,
        best: () => undefined,
        ...more,
      },
      this.position,
    )
  }
}

async function collect(loop: Loop): Promise<TrainEvent[]> {
  const events: TrainEvent[] = []
  for await (const event of loop.events()) events.push(event)
  return events
}

describe('the loop', () => {
  it('keeps two runs in flight, never more', async () => {
    const fake = new Fake(10)
    await collect(fake.loop)
    expect(fake.most).toBe(2)
  })

  it('saves at exact steps with nothing in flight, and after each epoch', async () => {
    const fake = new Fake(7, { epochs: 2, every: { steps: 3 } })
    const events = await collect(fake.loop)
    expect(fake.saved).toEqual([3, 6, 7, 9, 12, 14])
    const steps = events.flatMap((event) => (event.type === 'step' ? [event.step] : []))
    expect(steps).toEqual(Array.from({ length: 14 }, (_, i) => i + 1))
  })

  it('reports losses with their steps, and their mean with the epoch', async () => {
    const events = await collect(new Fake(4).loop)
    const losses = events.flatMap((event) => (event.type === 'step' ? [event.loss] : []))
    expect(losses).toEqual([1, 1 / 2, 1 / 3, 1 / 4])
    const epoch = events.find((event) => event.type === 'epoch')
    expect(epoch?.loss).toBeCloseTo((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4, 12)
    expect(epoch?.validation).toEqual({ loss: 0.5, accuracy: 0.75 })
  })

  it('goes on from a position', async () => {
    const fake = new Fake(5, { epochs: 2 })
    Object.assign(fake.position, { epoch: 1, stepInEpoch: 3, step: 8 })
    const events = await collect(fake.loop)
    expect(events.flatMap((event) => (event.type === 'step' ? [event.stepInEpoch] : []))).toEqual([4, 5])
    expect(fake.position).toEqual({ epoch: 2, stepInEpoch: 0, step: 10 })
  })

  it('stops at a signal, saves, and says where', async () => {
    const controller = new AbortController()
    const fake = new Fake(100, { signal: controller.signal })
    const events: TrainEvent[] = []
    for await (const event of fake.loop.events()) {
      events.push(event)
      if (event.step === 3) controller.abort()
    }
    const last = events.at(-1)
    expect(last).toMatchObject({ type: 'stopped', checkpoint: 'here', step: fake.position.step })
    expect(fake.position.step).toBeLessThanOrEqual(5)
    expect(fake.saved).toEqual([fake.position.step])
  })

  it('waits for what is in flight when it is left', async () => {
    const fake = new Fake(10, {}, false)
    const events = fake.loop.events()
    await events.next()
    const first = events.next()
    await expect.poll(() => fake.runs.length).toBe(2)
    fake.runs[0]!.finish(1)
    expect((await first).value).toMatchObject({ type: 'step', step: 1 })
    let left = false
    const leaving = events.return().then(() => (left = true))
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(left).toBe(false)
    fake.runs[1]!.finish(1)
    await leaving
    expect(fake.position.step).toBe(2)
  })

  it('ends with the failure of a run once the others have ended', async () => {
    const fake = new Fake(10, {}, false)
    const all = collect(fake.loop).catch((error: unknown) => error)
    await expect.poll(() => fake.runs.length).toBe(2)
    fake.runs[0]!.fail(new Error('no label'))
    fake.runs[1]!.finish(1)
    expect(await all).toMatchObject({ message: 'no label' })
  })

  it('ends with an explanation where a loss is not finite, and does not save', async () => {
    const fake = new Fake(10, {}, false)
    const all = collect(fake.loop).catch((error: unknown) => error)
    await expect.poll(() => fake.runs.length).toBe(2)
    fake.runs[0]!.finish(NaN)
    fake.runs[1]!.finish(NaN)
    expect(await all).toMatchObject({ message: 'step 1 gave NaN' })
    expect(fake.saved).toEqual([])
  })
})
