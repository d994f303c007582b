// Starting from something: weights by path from files of sessions and of others, what became of them, and what is refused.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSafetensors, writeSafetensors } from '../../lib/files/index.js'
import * as nn from '../../lib/nn/index.js'
import { mul } from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { classes, images, losses, side, using } from './tasks.js'

const network = (last = 'last', outputs = classes) =>
  nn.named(
    'net',
    nn.sequential(
      nn.conv2d(1, 4, { kernel: 3, padding: 1, bias: false }),
      nn.batchNorm(4),
      nn.relu(),
      nn.flatten(),
      nn.linear(4 * side ** 2, outputs, { name: last }),
    ),
  )
const weights = ['conv1/w', 'batchNorm1/scale', 'batchNorm1/shift', 'last/w', 'last/b'].map((name) => `net/${name}`)
const statistics = ['net/batchNorm1/mean', 'net/batchNorm1/variance']
const sorted = (names: readonly string[]) => [...names].sort()

let folder = ''
let trained = ''
let before: Record<string, ArrayLike<number>> = {}
const x = new Uint8Array(side ** 2 * 3).map((_, i) => (37 * i) % 251)
let output: ArrayLike<number> = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-load-'))
  trained = join(folder, 'trained.safetensors')
  await using(network(), { epochs: 2 }, async (run) => {
    await run.run()
    await run.save(trained)
    before = await run.parameters()
    output = await run.predict(x)
  })
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('session.load', () => {
  it('takes parameters and statistics, and leaves counters and the state of the optimiser', async () => {
    await using(network(), { seed: 2 }, async (run) => {
      const { taken, left, missing } = await run.load(trained)
      expect(sorted(taken)).toEqual(sorted([...weights, ...statistics]))
      expect(missing).toEqual([])
      const momenta = left.filter((name) => name.endsWith('.momentum'))
      expect(momenta).toHaveLength(5)
      expect(sorted(left.filter((name) => !momenta.includes(name)))).toEqual(['seed', 'step'])
      expect(await run.predict(x)).toEqual(output)
      expect(run.step).toBe(0)
    })
  })

  it('goes on as the weights say, with momenta of zero', async () => {
    const first = async (seed: number) =>
      using(network(), { seed, shuffle: false, epochs: 1 }, async (run) => {
        await run.load(trained)
        for await (const event of run.events()) if (event.type === 'step') return event.loss
        return NaN
      })
    expect(await first(2)).toBe(await first(3))
    expect(await first(2)).toBeLessThan((await losses(network(), { epochs: 1 }))[0]!)
  })

  it('takes what is asked for, into a network with another last layer', async () => {
    await using(network('other', 2), { data: images(64) }, async (run) => {
      const fresh = await run.parameters()
      const { taken, left, missing } = await run.load(trained, { only: ['net/conv*/*', 'net/batchNorm1/**'] })
      expect(sorted(taken)).toEqual(
        sorted(['net/conv1/w', 'net/batchNorm1/scale', 'net/batchNorm1/shift', ...statistics]),
      )
      expect(missing).toEqual([])
      expect(left).toContain('net/last/w')
      const after = await run.parameters()
      expect(after['net/conv1/w']).toEqual(before['net/conv1/w'])
      expect(after['net/other/w']).toEqual(fresh['net/other/w'])
      const byFunction = await run.load(trained, { only: (path) => path === 'net/conv1/w' })
      expect(byFunction.taken).toEqual(['net/conv1/w'])
    })
  })

  it('of what a file lacks, is an error or a report', async () => {
    await using(network('lost'), {}, async (run) => {
      await expect(run.load(trained)).rejects.toThrow(
        'trained.safetensors: expected tensors for net/lost/w and 1 more (or strict: false), got none; the nearest is net/last/w',
      )
      const { missing } = await run.load(trained, { strict: false })
      expect(sorted(missing)).toEqual(['net/lost/b', 'net/lost/w'])
    })
  })

  it('refuses other shapes, by path, whatever is strict', async () => {
    await using(network('last', 7), {}, async (run) => {
      const fresh = await run.parameters()
      await expect(run.load(trained, { strict: false })).rejects.toThrow(
        `trained.safetensors[net/last/w]: expected a tensor of floats [7, ${4 * side ** 2}], got F32 [5, ${4 * side ** 2}]`,
      )
      expect(await run.parameters()).toEqual(fresh)
    })
  })

  it('refuses patterns that no path meets, two tensors for one path, and options that are none', async () => {
    await using(network(), {}, async (run) => {
      await expect(run.load(trained, { only: 'net/convs/*' })).rejects.toThrow(
        'load[only]: expected a pattern of a path, got net/convs/*; the nearest is net/conv1/w',
      )
      await expect(run.load(trained, { rename: () => 'net/conv1/w', strict: false })).rejects.toThrow(
        'load[rename]: expected one tensor for net/conv1/w, got',
      )
      await expect(run.load(trained, { stict: true } as never)).rejects.toThrow('did you mean strict?')
      await expect(run.load(join(folder, 'none.safetensors'))).rejects.toThrow('expected a readable file')
    })
  })

  it('widens the floats of other programs, whose names are made paths', async () => {
    const path = join(folder, 'python.safetensors')
    const file = await openSafetensors(trained)
    const scale = (await file.read('net/batchNorm1/scale')) as Float32Array<ArrayBuffer>
    await file.close()
    await writeSafetensors(path, {
      'features.0.weight': { dtype: 'F64', shape: [4, 1, 3, 3], data: Float64Array.from(before['net/conv1/w']!) },
      // 1, -2, the smallest number and one of five bits, as binary16; 1.5, -2, 0 and 2^-133 as bf16.
      'features.1.bias': { dtype: 'F16', shape: [4], data: Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x4a80) },
      'features.1.running_mean': { dtype: 'BF16', shape: [4], data: Uint16Array.of(0x3fc0, 0xc000, 0, 1) },
      'features.1.weight': { dtype: 'F32', shape: [4], data: scale },
      'features.1.num_batches_tracked': { dtype: 'I64', shape: [], data: BigInt64Array.of(3n) },
    })
    const names: Readonly<Record<string, string>> = {
      'features.0.weight': 'net/conv1/w',
      'features.1.bias': 'net/batchNorm1/shift',
      'features.1.running_mean': 'net/batchNorm1/mean',
      'features.1.weight': 'net/batchNorm1/scale',
    }
    await using(network(), { seed: 4 }, async (run) => {
      const report = await run.load(path, { rename: (name) => names[name], strict: false })
      expect(sorted(report.taken)).toEqual(sorted(Object.values(names)))
      expect(report.left).toEqual(['features.1.num_batches_tracked'])
      expect(sorted(report.missing)).toEqual(['net/batchNorm1/variance', 'net/last/b', 'net/last/w'])
      const after = await run.parameters()
      expect(after['net/conv1/w']).toEqual(before['net/conv1/w'])
      expect(after['net/batchNorm1/shift']).toEqual(Float32Array.of(1, -2, 2 ** -24, 13))
      const saved = join(folder, 'saved.safetensors')
      await run.save(saved)
      await using written = await openSafetensors(saved)
      expect(await written.read('net/batchNorm1/mean')).toEqual(Float32Array.of(1.5, -2, 0, 2 ** -133))
    })
  })

  it('refuses integers for weights', async () => {
    const path = join(folder, 'integers.safetensors')
    await writeSafetensors(path, { 'net/last/b': { dtype: 'I32', shape: [5], data: new Int32Array(5) } })
    await using(network(), {}, async (run) => {
      await expect(run.load(path, { only: 'net/last/b' })).rejects.toThrow(
        'integers.safetensors[net/last/b]: expected a tensor of floats [5], got I32 [5]',
      )
    })
  })

  it('keeps what is frozen, and averages from what was loaded on', async () => {
    const optimizer = optim.sgd({
      rate: 0.05,
      average: { decay: 0.9 },
      groups: [{ match: 'net/conv1/w', frozen: true }],
    })
    await using(network(), { optimizer, epochs: 1 }, async (run) => {
      await run.load(trained)
      await run.run()
      expect((await run.parameters())['net/conv1/w']).toEqual(before['net/conv1/w'])
      expect((await run.parameters())['net/last/w']).not.toEqual(before['net/last/w'])
      await expect(run.load(trained)).rejects.toThrow(
        'load: expected averages that have not begun, got a session at step 10',
      )
    })
  })

  it('says so where bytes are prepared otherwise than for the weights', async () => {
    const warnings: string[] = []
    const inputs = { x: (field: never) => mul(nn.fromBytes()(field), 2) }
    await using(network(), { inputs, onWarning: (message) => warnings.push(message) }, async (run) => {
      await run.load(trained)
    })
    expect(warnings.join()).toMatch(
      /expected x to be prepared as in its training .* the weights were trained on other numbers/,
    )
    warnings.length = 0
    await using(network(), { onWarning: (message) => warnings.push(message) }, async (run) => {
      await run.load(trained)
    })
    expect(warnings).toEqual([])
  })

  it('also puts them into the bf16 copies that a program reads', async () => {
    await using(network(), { precision: 'bf16', seed: 9 }, async (run) => {
      await run.load(trained)
      const got = await run.predict(x)
      const most = Math.max(...Array.from(output, Math.abs))
      const apart = Array.from(output, (wanted, i) => Math.abs(Number(got[i]) - wanted))
      expect(Math.max(...apart)).toBeLessThan(0.05 * most)
    })
  })
})
