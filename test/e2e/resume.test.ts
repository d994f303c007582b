// Saving and going on: a process that is killed loses at most one interval, and its successor ends bit for bit where an
// uninterrupted run does. Files that are not this model's are refused, and a full disk leaves the old file.
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import { openSafetensors } from '../../lib/files/index.js'
import { load } from '../../lib/infer/index.js'
import { inspectCheckpoint, session } from '../../lib/train/index.js'
import { all, classes, convolutional, images, losses, options, perceptron, side, using } from './tasks.js'

const script = (name: string): string => fileURLToPath(new URL(`children/${name}.mjs`, import.meta.url))
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-resume-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Runs a child; kills it with SIGKILL when it has said the step. Gives the hash it ended with, if it did. */
function child(name: string, args: readonly string[], precision: string, killAt?: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, [script(name), ...args], {
      env: { ...process.env, PRECISION: precision },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    running.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (killAt !== undefined && text.includes(`step ${killAt}\n`)) running.kill('SIGKILL')
    })
    running.on('error', reject)
    running.on('close', () => {
      resolve(/hash (\w+)/.exec(text)?.[1])
    })
  })
}

describe.for(['f32', 'bf16'])('a killed process in %s', (precision) => {
  it('is gone on with bit for bit', async () => {
    const [whole, cut] = [join(folder, `whole-${precision}`), join(folder, `cut-${precision}`)]
    const expected = await child('train', [whole], precision)
    expect(expected).toBeDefined()
    expect(await child('train', [cut], precision, 33)).toBeUndefined()
    const path = join(cut, 'last.safetensors')
    const info = await inspectCheckpoint(path)
    // 20 steps an epoch, a checkpoint every 7 steps: at least 28 of 33 steps were kept.
    expect(info?.step).toBeGreaterThanOrEqual(28)
    expect(info?.step).toBeLessThan(60)
    expect(await child('train', [cut, path], precision)).toBe(expected)
  })

  it('of a language model too, in the middle of an epoch, with the state of its streams', async () => {
    const [whole, cut] = [join(folder, `whole-lm-${precision}`), join(folder, `cut-lm-${precision}`)]
    const expected = await child('language', [whole], precision)
    expect(expected).toBeDefined()
    expect(await child('language', [cut], precision, 36)).toBeUndefined()
    const path = join(cut, 'last.safetensors')
    const info = await inspectCheckpoint(path)
    // 23 windows an epoch, a checkpoint every 7 steps.
    expect(info?.stepInEpoch).toBeGreaterThan(0)
    expect(info?.vocabulary?.tokens).toHaveLength(9)
    const file = await openSafetensors(path)
    const states = [...file.tensors.keys()].filter((name) => /lstm[12]\/[hc]5$/.test(name))
    const h = (await file.read('lm/lstm2/h5')) as Float32Array
    await file.close()
    expect(states).toHaveLength(4)
    expect(Math.max(...h)).toBeGreaterThan(0.01)
    expect(await child('language', [cut, path], precision)).toBe(expected)
  })

  it('of a translator too, in the middle of an epoch of batches of many lengths', async () => {
    const [whole, cut] = [join(folder, `whole-pairs-${precision}`), join(folder, `cut-pairs-${precision}`)]
    const expected = await child('translate', [whole], precision)
    expect(expected).toBeDefined()
    expect(await child('translate', [cut], precision, 37)).toBeUndefined()
    const path = join(cut, 'last.safetensors')
    const info = await inspectCheckpoint(path)
    // 23 steps an epoch, a checkpoint every 7 steps.
    expect(info?.stepInEpoch).toBeGreaterThan(0)
    expect(Object.keys(info?.tokenizers ?? {})).toEqual(['source', 'target'])
    expect(await child('translate', [cut, path], precision)).toBe(expected)
  })

  it('of a network that reads house numbers too, with its dropout and its statistics', async () => {
    const [whole, cut] = [join(folder, `whole-numbers-${precision}`), join(folder, `cut-numbers-${precision}`)]
    const expected = await child('numbers', [whole], precision)
    expect(expected).toBeDefined()
    expect(await child('numbers', [cut], precision, 37)).toBeUndefined()
    const path = join(cut, 'last.safetensors')
    const info = await inspectCheckpoint(path)
    // 22 steps an epoch, a checkpoint every 7 steps.
    expect(info?.step).toBeGreaterThanOrEqual(28)
    expect(info?.stepInEpoch).toBeGreaterThan(0)
    expect(await child('numbers', [cut, path], precision)).toBe(expected)
  })
})

describe('a checkpoint', () => {
  it('that is written while another flow trains is of one step', async () => {
    const more = { epochs: 6, optimizer: optim.sgd({ rate: 0.05, momentum: 0.9 }) }
    const paths = Array.from({ length: 5 }, (_, i) => join(folder, `beside-${i}.safetensors`))
    const whole = await using(perceptron(), more, async (run) => {
      const saving = (async () => {
        for (const path of paths) await run.save(path)
      })()
      await run.run()
      await saving
      return run.parameters()
    })
    const steps = new Set<number | undefined>()
    for (const path of paths) {
      steps.add((await inspectCheckpoint(path))?.step)
      await using(perceptron(), more, async (run) => {
        await run.resume(path)
        await run.run()
        expect(await run.parameters()).toEqual(whole)
      })
    }
    expect(steps.size).toBeGreaterThan(2)
  })

  it('holds parameters by path, optimiser state, counters and the place in the data', async () => {
    const path = join(folder, 'content.safetensors')
    await using(perceptron(), {}, async (run) => {
      for await (const event of run.events()) if (event.step === 3) break
      await run.save(path)
    })
    const file = await openSafetensors(path)
    expect([...file.tensors.keys()].sort()).toEqual([
      ...['linear1/b', 'linear1/b.momentum', 'linear1/w', 'linear1/w.momentum'],
      ...['linear2/b', 'linear2/b.momentum', 'linear2/w', 'linear2/w.momentum', 'seed', 'step'],
    ])
    const step = (await file.read('step'))[0]
    await file.close()
    const info = await inspectCheckpoint(path)
    expect(info).toMatchObject({
      step,
      epoch: 0,
      stepInEpoch: step,
      seed: 1,
      batch: 16,
      precision: 'f32',
      device: 'cpu',
    })
    expect(info?.parameters).toEqual(['linear1/w', 'linear1/b', 'linear2/w', 'linear2/b'])
    expect(info?.data).toMatch(/^[0-9a-f]{32}$/)
  })

  it('goes on in another session as the first one would have', async () => {
    const path = join(folder, 'half.safetensors')
    const whole = await losses(convolutional(), { epochs: 2 })
    let done = 0
    await using(convolutional(), { epochs: 2 }, async (run) => {
      for await (const event of run.events()) if (event.type === 'step' && event.step === 13) break
      await run.save(path)
      done = run.step
    })
    await using(convolutional(), { epochs: 2 }, async (run) => {
      await run.resume(path)
      const events = await all(run.events())
      expect(events.flatMap((event) => (event.type === 'step' ? [event.loss] : []))).toEqual(whole.slice(done))
      expect(events.some((event) => event.type === 'warning')).toBe(false)
    })
  })

  it('warns where a run will differ, and goes on', async () => {
    const path = join(folder, 'warn.safetensors')
    await using(perceptron(), {}, (run) => run.save(path))
    const told: string[] = []
    await using(perceptron(), { seed: 2, data: images(160, 4), onWarning: (text) => told.push(text) }, async (run) => {
      await run.resume(path)
      expect(told.join('\n')).toMatch(/saved with seed 1, resumed with 2[\s\S]*training data/)
      const events = await all(run.events())
      expect(events.filter((event) => event.type === 'warning')).toHaveLength(2)
    })
  })

  it('of another model is refused by name, and changes nothing', async () => {
    const path = join(folder, 'other.safetensors')
    await using(convolutional(), {}, (run) => run.save(path))
    await using(perceptron(), {}, async (run) => {
      const before = await run.parameters()
      await expect(run.resume(path)).rejects.toThrow(
        /expected a checkpoint of this model.*not expected conv1\/b and 3 more; of another type linear1\/w/,
      )
      expect(await run.parameters()).toEqual(before)
    })
    const wide = nn.sequential(nn.flatten(), nn.linear(side * side, 33), nn.relu(), nn.linear(33, classes))
    const narrow = join(folder, 'narrow.safetensors')
    await using(perceptron(), {}, (run) => run.save(narrow))
    await expect(load(narrow, wide, { device: 'cpu' })).rejects.toThrow(
      /linear1\/w \(expected F32 \[33, 64\], got F32 \[32, 64\]\)/,
    )
  })

  it('that is cut is refused', async () => {
    const path = join(folder, 'cut.safetensors')
    await using(perceptron(), {}, (run) => run.save(path))
    const bytes = await readFile(path)
    await writeFile(path, bytes.subarray(0, bytes.length - 100))
    await expect(load(path, perceptron(), { device: 'cpu' })).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' })
  })

  it('survives a disk that is full', async () => {
    const target = join(folder, 'full')
    await using(perceptron(), { folder: target }, async (run) => {
      await run.run()
    })
    const before = await readFile(join(target, 'last.safetensors'))
    await using(perceptron(), {}, async (run) => {
      await expect(run.save('/dev/full/x.safetensors')).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' })
    })
    expect(await readFile(join(target, 'last.safetensors'))).toEqual(before)
    expect(await readdir(target)).toEqual(['last.safetensors'])
  })
})

describe.for(['f32', 'bf16'] as const)('a loaded model in %s', (precision) => {
  it('predicts what the session predicted, from many callers at once', async () => {
    const path = join(folder, `model-${precision}.safetensors`)
    const x = new Uint8Array(40 * side * side)
    await images(40, 6).gather(
      Uint32Array.from({ length: 40 }, (_, i) => i),
      { x, target: new Int32Array(40) },
    )
    const run = await session(convolutional(), options({ optimizer: optim.adam({ rate: 0.01 }), precision }))
    await run.run()
    await run.save(path)
    const expected = await run.predict(x)
    await run.dispose()
    const model = await load(path, convolutional(), { device: 'cpu' })
    const [whole, ...parts] = await Promise.all(
      [40, 1, 7, 33].map((n) => model.predict(x.subarray(0, n * side * side))),
    )
    expect(whole).toEqual(expected)
    for (const part of parts) {
      for (const [i, value] of part.entries()) expect(value).toBeCloseTo(expected[i]!, precision === 'f32' ? 4 : 1)
    }
    expect(model.info?.step).toBe(10)
    await expect(model.predict(x.subarray(3))).rejects.toMatchObject({ code: 'ERR_DATA' })
    await model.dispose()
    await expect(model.predict(x)).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
  })
})
