// Tables of which a batch touches few rows: what an update costs and needs does not grow with the table, its numbers are those of a dense
// update, and what a run reads or leaves behind is what the house promises of any state.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrays, PhiloxStream } from '../../lib/data/index.js'
import { openSafetensors } from '../../lib/files/index.js'
import { constant, read, type Tensor } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { session } from '../../lib/train/index.js'
import { all, options } from './tasks.js'

const { device } = options()
const batch = 64
const negatives = 4
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-rows-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Some batches of words whose neighbours are the next even or odd ones, and of words that are not. */
function pairs(vocabulary: number, batches: number, last?: number) {
  const noise = new PhiloxStream(5, 0, 0)
  const length = 10 * batch
  const center = Int32Array.from({ length }, () => noise.below(vocabulary))
  const context = center.map((word) => (word + 2 * noise.below(3)) % vocabulary)
  const negative = Int32Array.from({ length: length * negatives }, () => noise.below(vocabulary))
  if (last !== undefined) negative[length * negatives - 1] = last
  const cut = batches * batch
  return arrays({
    center: center.slice(0, cut),
    context: context.slice(0, cut),
    negative: { data: negative.slice(0, cut * negatives), shape: [negatives] },
  })
}

interface Fed {
  readonly center: Tensor<'i32', [number]>
  readonly context: Tensor<'i32', [number]>
  readonly negative: Tensor<'i32', [number, number]>
}

/** Skip-gram with negative sampling (Mikolov et al. 2013); the second table is read twice. */
function skipGram(vocabulary: number, width: number, sparse: boolean) {
  const words = nn.embedding(vocabulary, width, { sparse, name: 'words' })
  const contexts = nn.embedding(vocabulary, width, { sparse, name: 'contexts', init: nn.init.uniform(-0.1, 0.1) })
  return ({ center, context, negative }: Fed) => {
    const u = words(center)
    const away = ops.reshape(u, [-1, 1, width])
    const [good, bad] = [ops.mul(u, contexts(context)), ops.mul(away, contexts(negative))]
    const losses = ops.add(ops.softplus(ops.neg(ops.sum(good, -1))), ops.sum(ops.softplus(ops.sum(bad, -1)), -1))
    return { loss: ops.mean(losses) }
  }
}

interface Setting {
  readonly vocabulary?: number
  readonly width?: number
  readonly sparse?: boolean
  readonly optimizer: optim.Optimizer
  readonly precision?: 'f32' | 'bf16'
  readonly epochs?: number
  readonly batches?: number
  /** The last index of the last batch. */
  readonly last?: number
  readonly shuffle?: boolean
  readonly threads?: number
}

const open = ({ vocabulary = 50, width = 12, sparse = true, batches = 10, last, ...more }: Setting) =>
  session(skipGram(vocabulary, width, sparse), {
    data: pairs(vocabulary, batches, last),
    batch,
    epochs: 3,
    precision: 'f32',
    seed: 3,
    ...(device && { device }),
    ...more,
  })

type Session = Awaited<ReturnType<typeof open>>

async function using<T>(setting: Setting, work: (run: Session) => Promise<T>): Promise<T> {
  const run = await open(setting)
  try {
    return await work(run)
  } finally {
    await run.dispose()
  }
}

const losses = async (run: Session) =>
  (await all(run.events())).flatMap((event) => (event.type === 'step' ? [event.loss] : []))

describe('a table of a million rows', () => {
  const width = 100
  const tableBytes = 1_000_000 * width * 4

  it.each(['f32', 'bf16'] as const)(
    'trains in %s without a second table in memory',
    { timeout: 120_000 },
    async (precision) => {
      const setting = { vocabulary: 1_000_000, width, precision, optimizer: optim.adagrad({ rate: 0.5 }), epochs: 12 }
      await using(setting, async (run) => {
        const all = await losses(run)
        const mean = (part: number[]) => part.reduce((sum, loss) => sum + loss) / part.length
        expect(mean(all.slice(-10))).toBeLessThan(0.5 * mean(all.slice(0, 10)))
        const { arenaBytes, stateBytes } = run.stats
        expect(arenaBytes).toBeLessThan(tableBytes / 50)
        // Two tables and their sums of squares, none of them in bf16 too.
        expect(stateBytes).toBeGreaterThan(4 * tableBytes)
        expect(stateBytes).toBeLessThan(4.1 * tableBytes)
      })
    },
  )

  // A dense update reads and writes every row: some six hundred times as long, whatever caches hold and whoever else uses the processor.
  it('takes a small part of the time of a dense update', { timeout: 120_000 }, async () => {
    const median = async (sparse: boolean, batches: number) => {
      const optimizer = optim.adam({ rate: 0.01 })
      return using({ vocabulary: 1_000_000, width, sparse, optimizer, epochs: 2, batches }, async (run) => {
        const steps: number[] = []
        let last = performance.now()
        for await (const event of run.events()) {
          if (event.type !== 'step') continue
          steps.push(performance.now() - last)
          last = performance.now()
        }
        // In the second epoch every page has been touched.
        return steps.slice(batches).sort((a, b) => a - b)[batches >> 1]!
      })
    }
    const dense = await median(false, 2)
    expect(await median(true, 10)).toBeLessThan(dense / 100)
  })
})

describe('the numbers', () => {
  it.each<[string, () => optim.Optimizer]>([
    ['sgd', () => optim.sgd({ rate: 10 })],
    ['adagrad', () => optim.adagrad({ rate: 0.2 })],
    ['clipped sgd', () => optim.sgd({ rate: 3, clipNorm: 0.1 })],
  ])('of %s are those of a dense table', async (_, make) => {
    for (const precision of ['f32', 'bf16'] as const) {
      const [sparse, dense] = await Promise.all(
        [true, false].map((sparse) => using({ sparse, precision, optimizer: make() }, losses)),
      )
      // Sums in another order in f32; the dense table is read in bf16.
      const share = precision === 'f32' ? 1e-5 : 2e-2
      sparse!.forEach((loss, step) => {
        expect(Math.abs(loss - dense![step]!), `step ${step} in ${precision}`).toBeLessThan(share * dense![step]!)
      })
      expect(sparse!.at(-1)!).toBeLessThan(0.95 * sparse![0]!)
    }
  })

  it('do not depend on the number of threads', async () => {
    const ends = []
    for (const threads of [1, 2]) {
      const setting = { vocabulary: 40, width: 300, batches: 4, threads, optimizer: optim.adam({ rate: 0.01 }) }
      ends.push(
        await using(setting, async (run) => {
          await run.run()
          return run.parameters()
        }),
      )
    }
    expect(ends[0]).toEqual(ends[1])
  })
})

describe('states', () => {
  it.each(['f32', 'bf16'] as const)('go on from a checkpoint bit for bit in %s', async (precision) => {
    const setting = () => ({ precision, optimizer: optim.adam({ rate: 0.01 }), vocabulary: 500 })
    const path = join(folder, `half-${precision}.safetensors`)
    const whole = await using(setting(), async (run) => {
      await run.run()
      return run.parameters()
    })
    await using(setting(), async (run) => {
      for await (const event of run.events()) if (event.type === 'step' && event.step === 13) break
      await run.save(path)
    })
    await using(setting(), async (run) => {
      await run.resume(path)
      await run.run()
      expect(await run.parameters()).toEqual(whole)
    })
  })

  it('are left as they were by an index outside the table, which is named', async () => {
    const optimizer = optim.adam({ rate: 0.01 })
    const setting = { optimizer, epochs: 1, shuffle: false }
    const [good, bad] = ['good', 'bad'].map((name) => join(folder, `${name}.safetensors`)) as [string, string]
    await using({ ...setting, batches: 9 }, async (run) => {
      await run.run()
      await run.save(good)
    })
    await using({ ...setting, last: 50 }, async (run) => {
      await expect(run.run()).rejects.toMatchObject({
        code: 'ERR_DATA',
        message: expect.stringContaining(
          'step 10: gather[contexts]: expected indices 0..49, got 50 at position 255',
        ) as string,
      })
      await run.save(bad)
    })
    const [kept, left] = await Promise.all([good, bad].map((path) => openSafetensors(path)))
    for (const name of ['words/w', 'contexts/w', 'words/w.mean', 'contexts/w.square']) {
      expect(await left!.read(name), name).toEqual(await kept!.read(name))
    }
    await Promise.all([kept!.close(), left!.close()])
  })

  it('are read as they were before the run, whatever the order, and written in place', async () => {
    const [vocabulary, width] = [2_000, 16]
    const [a, b] = [1, 2].map((value) => nn.parameter(`t${value}`, [vocabulary, width], nn.init.fill(10 * value)))
    const first = ({ center, context, negative }: Fed) => {
      const rows = [a!, b!].map((table) => ops.gather(read(table), center))
      const used = ops.add(ops.sum(ops.cast(context, 'f32')), ops.sum(ops.cast(negative, 'f32')))
      return { loss: ops.add(ops.mean(ops.add(rows[0]!, rows[1]!)), ops.mul(used, 0)) }
    }
    const run = await session(first, {
      data: pairs(vocabulary, 2),
      batch,
      optimizer: optim.sgd({ rate: 0 }),
      seed: 1,
      precision: 'f32',
      ...(device && { device }),
    })
    const extents = { at: { dtype: 'i32', shape: [4] }, also: { dtype: 'i32', shape: [2] } } as const
    const change = await run.compile((at: Tensor<'i32', [number]>, also: Tensor<'i32', [number]>) => {
      const ones = constant('f32', [4, width], 7)
      ops.assignRows(a!, at, ones)
      // Of several rows for one index the last one counts.
      const counted = ops.cast(ops.reshape(ops.cumsum(constant('f32', [2], 1)), [2, 1]), 'f32')
      ops.assignRows(b!, also, ops.broadcastTo(counted, [2, width]))
      return { old: ops.gather(read(a!), at), sum: ops.add(ops.sum(read(a!)), ops.sum(read(b!))) }
    }, extents)
    const whole = vocabulary * width
    const values = async () => {
      const all = await run.parameters()
      return [all['t1']!, all['t2']!] as const
    }
    const result = await change.run({ at: Int32Array.of(0, 3, 1_999, 3), also: Int32Array.of(5, 5) })
    expect(new Set(result.old)).toEqual(new Set([10]))
    expect(result.sum[0]).toBe(30 * whole)
    const [one, two] = await values()
    expect([0, 1, 3, 1_999].map((row) => one[row * width])).toEqual([7, 10, 7, 7])
    expect([4, 5].map((row) => two[row * width + 3])).toEqual([20, 2])
    expect(two.filter((value) => value !== 20)).toHaveLength(width)
    // The second index is bad, when the first table could have been written already.
    await expect(change.run({ at: Int32Array.of(8, 8, 8, 8), also: Int32Array.of(1, 2_000) })).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringContaining('setRows[]: expected indices 0..1999, got 2000 at position 1') as string,
    })
    expect(await values()).toEqual([one, two])
    await run.dispose()
  })
})
