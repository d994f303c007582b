// What only a CUDA device does, or its double: options, limits, several devices, states in layouts of its own. Skipped
// where there is none.
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrays } from '../../lib/data/index.js'
import * as nn from '../../lib/nn/index.js'
import { diagnose, openDevice } from '../../lib/runtime/index.js'
import { load } from '../../lib/infer/index.js'
import { runNative } from '../support/native.js'
import { apply, input } from '../support/op-case.js'
import { uniform } from '../support/random.js'
import { drawInputs, graphOf, outputsOf } from '../support/samples.js'
import { doubling } from '../support/tiny-program.js'
import { all, classes, losses, perceptron, side, using } from './tasks.js'

const device = 'cuda'
const absent = !diagnose().backends.some(({ name, available }) => name === device && available)
// Of the devices that only the double can be.
const isDouble = diagnose().versions['CUDA driver'] === 'double'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-cuda-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Two convolutions: the second one's weights lie channels last. */
const deep = () =>
  nn.sequential(
    nn.conv2d(1, 6, { kernel: 3, padding: 1 }),
    nn.relu(),
    nn.conv2d(6, 5, { kernel: 3, padding: 1 }),
    nn.relu(),
    nn.avgPool2d(2),
    nn.flatten(),
    nn.linear(5 * (side / 2) ** 2, classes),
  )

describe.skipIf(absent)('a session on CUDA', () => {
  it.for(['f32', 'tf32', 'bf16'] as const)(
    'trains in %s, and the CPU predicts the same from its checkpoint',
    async (precision) => {
      const path = join(folder, `${precision}.safetensors`)
      const x = Uint8Array.from({ length: 3 * side * side }, (_, i) => (i * 37) % 256)
      const wanted = await using(deep(), { device, precision, epochs: 2 }, async (run) => {
        const events = await all(run.events())
        expect(events[0]).toMatchObject({ type: 'start', precision })
        await run.save(path)
        return run.predict(x)
      })
      const model = await load(path, deep(), { device: 'cpu', precision: precision === 'bf16' ? 'bf16' : 'f32' })
      const got = await model.predict(x)
      await model.dispose()
      const largest = Math.max(...wanted.map(Math.abs))
      const share = precision === 'f32' ? 2 ** -16 : 2 ** -5 // rounded to 10 or 7 bits along the way
      got.forEach((value, i) => {
        expect(Math.abs(value - wanted[i]!)).toBeLessThan(share * largest)
      })
    },
  )

  it('gives the same bits twice when it is to be deterministic', async () => {
    const once = () => losses(deep(), { device, deterministic: true, precision: 'f32' })
    expect(await once()).toEqual(await once())
  })

  it('says what is asked and who holds the rest beyond the memory limit, and others live on', async () => {
    const more = { device, memoryLimit: 100_000 } as const
    await using(perceptron(), { device }, async (run) => {
      await expect(using(deep(), more, () => Promise.resolve())).rejects.toMatchObject({
        code: 'ERR_OUT_OF_MEMORY',
        message: expect.stringMatching(
          /expected \d+ MiB of device memory, got none: .*limit for this device/,
        ) as string,
      })
      expect((await run.run()).type).toBe('end')
    })
  })

  it('refuses a device number that is not there, and options that are none', async () => {
    await expect(using(perceptron(), { device: 'cuda:900' }, () => Promise.resolve())).rejects.toMatchObject({
      code: 'ERR_NO_DEVICE',
      message: expect.stringMatching(/cuda:900: expected a device below \d/) as string,
    })
    await expect(openDevice({ device, memoryLimit: -1 })).rejects.toThrow(
      'openDevice[memoryLimit]: expected a whole number of at least 0, got -1',
    )
  })

  it('times its steps when asked', async () => {
    await using opened = await openDevice({ device, profile: true })
    const n = 1000
    const w = opened.alloc({ name: 'w', dtype: 'f32', shape: [n] })
    const program = await opened.compile(doubling(n), [w])
    await program.run({ x: new Float32Array(n) })
    const [step] = JSON.parse(program.stats().profile) as { op: string; ms: number }[]
    expect(step).toMatchObject({ op: 'pointwise', ms: expect.any(Number) as number })
  })
})

describe.skipIf(absent)('a ReLU that is fused into a product on CUDA', () => {
  const activation = 'relu'
  const image = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 }
  const product = { transposeA: false, transposeB: false, sumA: false }
  const draw = uniform()
  const samples = {
    conv2d: {
      inputs: [input('float', [1, 8, 6, 6], draw), input('float', [8, 8, 3, 3], draw), input('f32', [8], draw)],
      build: apply('conv2d', (x) => ({ ...image, activation, dtype: x.dtype })),
    },
    matmul: {
      inputs: [input('float', [8, 16], draw), input('float', [16, 8], draw), input('f32', [8], draw)],
      build: apply('matmul', (x) => ({ ...product, activation, dtype: x.dtype })),
    },
  }

  it.for(Object.keys(samples).flatMap((op) => ['f32', 'tf32', 'bf16'].map((precision) => [op, precision] as const)))(
    'lets what is no number pass: %s in %s',
    async ([op, precision]) => {
      const sample = { name: op, outputs: [], ...samples[op as keyof typeof samples] }
      const graph = graphOf(sample, precision === 'bf16' ? 'bf16' : 'f32')
      const inputs = drawInputs(sample)
      inputs[0]!.data[7] = NaN
      inputs[0]!.data[100] = Infinity
      const [want] = outputsOf(graph, inputs)
      const [got] = await runNative(graph, inputs, device, { tf32: precision === 'tf32' })
      const special = (x: number): number => (Number.isFinite(x) ? 0 : x)
      expect(Array.from(got!.data, special)).toEqual(Array.from(want!.data, special))
      expect(Array.from(want!.data, special)).toEqual(expect.arrayContaining([NaN, Infinity, 0]))
    },
  )
})

/** What another process says that trains a step on the double of a device that such settings describe. */
function onDevice(settings: Record<string, string>, ...args: string[]): string {
  const script = fileURLToPath(new URL('children/device.mjs', import.meta.url))
  const env = { ...process.env, ...settings }
  // On stderr the double says what was done wrong, or left behind.
  const { stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env })
  return (stdout + stderr).trim()
}

describe.runIf(isDouble)('two devices at once', () => {
  const [first, second] = ['cuda:0', 'cuda:1'] as const

  it('train to the losses of each alone', async () => {
    const runs = [
      () => losses(deep(), { device: first, epochs: 2 }),
      () => losses(perceptron(), { device: second, epochs: 2, seed: 7 }),
    ]
    const alone = [await runs[0]!(), await runs[1]!()]
    expect(await Promise.all(runs.map((run) => run()))).toEqual(alone)
  })

  it('have memory limits of their own', async () => {
    await using(perceptron(), { device: first, memoryLimit: 1 << 28 }, async (run) => {
      const little = { device: second, memoryLimit: 100_000 } as const
      const message = expect.stringContaining('for this device') as string
      await expect(using(deep(), little, () => Promise.resolve())).rejects.toMatchObject({ message })
      // What one device refuses, the other gives.
      await using(deep(), { device: second }, async (other) => {
        expect([(await run.run()).type, (await other.run()).type]).toEqual(['end', 'end'])
      })
    })
  })

  it('keep to themselves what a run did wrong', async () => {
    const data = arrays({
      x: { data: new Uint8Array(32 * side ** 2), shape: [1, side, side] },
      target: new Int32Array(32).fill(99),
    })
    await using(perceptron(), { device: first }, async (run) => {
      const failed = using(perceptron(), { device: second, data }, (other) => other.run())
      await expect(failed).rejects.toMatchObject({ code: 'ERR_DATA' })
      expect((await run.run()).type).toBe('end')
    })
  })
})

describe.runIf(isDouble)('an old device', () => {
  it('is refused below compute capability 7.5, with the remedy', () => {
    expect(onDevice({ OSTRICH_DOUBLE_SM: '61' }, 'f32')).toMatch(
      /^ERR_NO_DEVICE cuda:0: expected compute capability 7\.5 or newer \(Turing\), got 6\.1 .*use another device/,
    )
  })

  it('of 7.5 trains in f32 by itself, and refuses bf16', () => {
    const old = { OSTRICH_DOUBLE_SM: '75' }
    expect(onDevice(old, 'auto')).toBe('trained in f32 on cuda')
    expect(onDevice(old, 'bf16')).toMatch(
      /^ERR_OPTION compile\[train\]: expected f32 on .* below 8\.0, got bf16: use precision: 'f32'/,
    )
  })
})

describe.runIf(isDouble)('a driver that does not load the kernels', () => {
  const old = { OSTRICH_DOUBLE_DRIVER: '12030' }

  it('is refused when the device is opened, with the remedy, and leaves nothing behind', () => {
    const said = onDevice(old, 'f32')
    expect(said).toMatch(
      /^ERR_NO_DEVICE cuda:0: expected a driver that loads Ostrich's kernels, got one for CUDA 12\.3 that does not: .*INVALID_IMAGE/,
    )
    expect(said).toMatch(/: update the driver, or use device: 'cpu'$/)
  })

  it('gives way to the CPU where any device would do', () => {
    expect(onDevice(old, 'f32', 'auto')).toBe('trained in f32 on cpu')
  })
})
