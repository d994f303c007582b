// A rate that falls where the monitored measure becomes no better: when, by how much, what is told and kept.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrays } from '../../lib/data/index.js'
import { openSafetensors } from '../../lib/files/index.js'
import { constant, read, type Tensor, Variable } from '../../lib/graph/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { inspectCheckpoint, measures, openRunLog, session, type TrainEvent } from '../../lib/train/index.js'
import { all } from './tasks.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-plateau-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const [rate, epochs] = [0.25, 8]
const ones = (length: number) => arrays({ x: { data: new Float32Array(length).fill(1), shape: [1] } })

/** The loss is one weight, 100 at first: each step lowers it by the rate. What is monitored is its size above a limit. */
function descent(limit: number) {
  const init = () => constant('f32', [], 100)
  const w = new Variable({ label: 'w', dtype: 'f32', shape: [], role: 'parameter', init })
  return ({ x }: { readonly x: Tensor<'f32', [number, 1]> }) => {
    const loss = ops.mul(ops.mean(x), read(w))
    const above = ops.maximum(loss, limit)
    return { loss, above: measures.mean({ sum: above, count: 1, better: 'less', format: { digits: 2 } }) }
  }
}

/** Two steps an epoch. */
function open(
  limit: number,
  more: { readonly folder?: string; readonly signal?: AbortSignal; readonly patience?: number },
) {
  const optimizer = optim.sgd({ rate, plateau: { factor: 0.5, patience: 2 } })
  const data = { train: ones(8), validation: ones(4) }
  return session(descent(limit), { data, optimizer, batch: 4, epochs, monitor: 'above', device: 'cpu', ...more })
}

/** How far each epoch's steps went. */
function lengths(events: readonly TrainEvent[]): number[] {
  const losses = events.flatMap((event) => (event.type === 'step' ? [event.loss] : []))
  return losses.slice(1).map((loss, i) => losses[i]! - loss)
}

const factors = (events: readonly TrainEvent[]) =>
  events.flatMap((event) => (event.type === 'epoch' ? [event.rateFactor] : []))

describe('a rate that falls on plateaus', () => {
  it('falls after so many epochs that are no better, and again after as many more', async () => {
    // Epochs 1 and 2 reach 99.5 and 99; then the limit holds. Falls end epochs 4, 6 and 8.
    await using run = await open(99, {})
    const events = await all(run.events())
    expect(factors(events)).toEqual([1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125])
    const wanted = [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25].flatMap((factor) => [factor * rate, factor * rate])
    expect(lengths(events)).toEqual(wanted.slice(0, -1))
  })

  it('stays as it is while what is monitored becomes better', async () => {
    await using run = await open(0, {})
    expect(factors(await all(run.events()))).toEqual(Array(epochs).fill(1))
  })

  it('ends the run where the patience of the session does, counted from the best epoch', async () => {
    await using run = await open(99, { patience: 3 })
    const events = await all(run.events())
    expect(factors(events)).toEqual([1, 1, 1, 0.5, 0.5])
    expect(events.at(-1)).toMatchObject({ type: 'end', best: { epoch: 2, value: 99 } })
  })

  it('is kept in checkpoints: a resumed run goes on with the factor, and with the epochs that were waited', async () => {
    const stop = new AbortController()
    await using first = await open(99, { folder: join(folder, 'run'), signal: stop.signal })
    for await (const event of first.events()) if (event.type === 'epoch' && event.epoch === 5) stop.abort()
    const path = join(folder, 'run/last.safetensors')
    const info = await inspectCheckpoint(path)
    expect(info?.monitored).toMatchObject({ best: { epoch: 2 }, stale: 3, waited: 1 })
    const file = await openSafetensors(path)
    expect(await file.read('plateau.factor')).toEqual(Float32Array.of(0.5))
    await file.close()

    await using second = await open(99, {})
    await second.resume(path)
    const events = await all(second.events())
    expect(factors(events)).toEqual([0.25, 0.25, 0.125])
    expect(lengths(events)).toEqual([0.5, 0.5, 0.25, 0.25, 0.25].map((factor) => factor * rate))
  })

  it('is told in the log', async () => {
    const log = await openRunLog(join(folder, 'log'), { config: {}, title: 'descent' })
    await using run = await open(99, {})
    for await (const event of run.events()) log.write({ ...event })
    await log.close()
    const lines = (await readFile(join(folder, 'log/log.jsonl'), 'utf8')).trim().split('\n')
    expect(factors(lines.map((line) => JSON.parse(line) as TrainEvent))).toEqual([1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125])
  })

  it('is refused where nothing is monitored, and where its options make no sense', async () => {
    const optimizer = optim.sgd({ rate, plateau: { factor: 0.5, patience: 2 } })
    const data = { train: ones(8), validation: ones(4) }
    await expect(session(descent(0), { data, optimizer, batch: 4, device: 'cpu' })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: 'session[monitor]: expected a measure, on whose plateaus the rate falls, got none',
    })
    const made = (plateau: optim.PlateauOptions) => () => optim.adam({ rate, plateau })
    expect(made({ factor: 1.5, patience: 2 })).toThrow(
      'plateau: expected factor to be a number between 0 and 1, got 1.5',
    )
    expect(made({ factor: 0.5, patience: 0 })).toThrow('expected patience to be a whole number of at least 1, got 0')
    expect(made({ factor: 0.5 } as optim.PlateauOptions)).toThrow('optim[plateau][patience]: expected a number')
  })
})
