// Networks that read house numbers, on a device: a step beside PyTorch in float64, a short training by the recipe's own objective, and going on in the
// middle of an epoch to the bit.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { getSvhnStrips, numberStrips, type NumberSet, svhnStrips } from '../../lib/data/index.js'
import { readNumbers } from '../../lib/infer/index.js'
import { houseNumbersStrips, houseNumbersTransfer } from '../../lib/recipes/index.js'
import { planSession } from '../../lib/recipes/recipe.js'
import { writeHandwriting } from '../support/handwriting.js'
import { type HouseNumbersGolden, labelsOf, stepOfGolden, valueOf } from '../support/house-number-golden.js'
import { compare, onDevice, roomFor } from '../support/model-golden.js'
import { backends } from '../support/native.js'
import { pattern } from '../support/pattern.js'
import { writeSvhnCopy } from '../support/svhn-copy.js'
import { lossesOf } from './tasks.js'

const path = new URL('../golden/house-numbers.json', import.meta.url)
const goldens = JSON.parse(readFileSync(path, 'utf8')) as HouseNumbersGolden[]

describe.each(backends())('on $name', ({ name: backend, reason }) => {
  // Sums of up to 150 products through five layers and back, in f32.
  test.skipIf(reason !== undefined).each(goldens)('a step of a shrunken $name network, f32', (golden) =>
    onDevice(backend, async (programs, store) => {
      const options = { name: 'golden', mode: 'train', precision: 'f32', brings: true } as const
      const step = await programs.build(options, stepOfGolden(golden))
      for (const [order, { name, buffer, variable }] of store.parameters().entries()) {
        await buffer.write(Float32Array.from(valueOf(name, variable.shape, order)))
      }
      const { length, digits, mask } = labelsOf()
      const x = pattern(new Float32Array(12 * golden.config.side ** 2), 100).map((value) => value + 0.5)
      const labels = { length: Int32Array.from(length), digits: Int32Array.from(digits), mask: Float32Array.from(mask) }
      const fetches = roomFor(step)
      await step.program.run({ x, ...labels }, fetches)
      compare(golden, fetches, 5e-5)
    }),
  )
})

/** All images of a set, one after the other. */
async function photographsOf(set: NumberSet): Promise<Uint8Array> {
  const x = new Uint8Array(set.length * 3 * 54 * 54)
  await set.gather([...new Array(set.length).keys()], { x } as never)
  return x
}

describe('a training', () => {
  let folder = ''
  let data: { readonly train: NumberSet; readonly validation: NumberSet; readonly test: NumberSet }
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ostrich-numbers-'))
    await writeHandwriting(folder)
    const { train, validation, test } = await numberStrips({ dir: folder, train: 40, validation: 12 })
    data = { train, validation: validation!, test }
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  const open = (epochs: number) =>
    planSession(houseNumbersStrips.build({ batch: 8, epochs, examples: 40 }), {
      ...{ data, device: 'cpu', threads: 1, precision: 'f32', seed: 3 },
    })

  it(
    'learns, and tells whole numbers, digits and coverage as its readings have them',
    { timeout: 300_000 },
    async () => {
      await using run = await open(6)
      const losses = await lossesOf(run.events())
      const mean = (some: readonly number[]): number => some.reduce((sum, loss) => sum + loss, 0) / some.length
      expect(losses).toHaveLength(30)
      expect(mean(losses.slice(-5))).toBeLessThan(0.8 * mean(losses.slice(0, 5)))
      const metrics = await run.evaluate(data.validation)
      expect(Object.keys(metrics)).toEqual(['loss', 'wholeNumber', 'digit', 'coverage', 'threshold'])
      // As they are read one by one.
      const rows = data.validation.length
      const out = {
        ...{ x: new Uint8Array(rows * 3 * 54 * 54), length: new Int32Array(rows) },
        ...{ digits: new Int32Array(5 * rows), mask: new Uint8Array(5 * rows) },
      }
      await data.validation.gather([...new Array(rows).keys()], out)
      const readings = await readNumbers(run, out.x)
      const wanted = Array.from(out.length, (many, i) => out.digits.slice(5 * i, 5 * i + many).join(''))
      const hits = readings.filter(({ number }, i) => number === wanted[i]).length
      expect(metrics['wholeNumber']).toBeCloseTo(hits / rows, 6)
    },
  )

  it('on numbers composed of crops ends with photographs', { timeout: 300_000 }, async () => {
    const dir = await getSvhnStrips({ from: await writeSvhnCopy(folder, 14), dir: join(folder, 'cache') })
    const { train, validation, test } = await svhnStrips({ dir, mnist: folder, train: 40, validation: 8 })
    const plan = houseNumbersTransfer.build({ batch: 8, epochs: 6, examples: 40 })
    const where = { device: 'cpu', threads: 1, precision: 'f32', seed: 3 } as const
    await using run = await planSession(plan, { data: { train, validation: validation! }, ...where })
    const losses = await lossesOf(run.events())
    const mean = (some: readonly number[]): number => some.reduce((sum, loss) => sum + loss, 0) / some.length
    expect(losses).toHaveLength(30)
    expect(mean(losses.slice(-5))).toBeLessThan(0.9 * mean(losses.slice(0, 5)))
    const metrics = await run.evaluate(test)
    const readings = await readNumbers(run, await photographsOf(test))
    const hits = readings.filter(({ number }, i) => number === ['708', '12', '23'][i]).length
    expect(metrics['wholeNumber']).toBeCloseTo(hits / 3, 6)
  })

  it('goes on in the middle of an epoch to the bit', { timeout: 300_000 }, async () => {
    const half = join(folder, 'half.safetensors')
    await using whole = await open(2)
    const expected = await lossesOf(whole.events())
    const first = await open(2)
    for await (const event of first.events()) if (event.type === 'step' && event.step === 7) break
    await first.save(half)
    const done = first.step
    await first.dispose()
    await using second = await open(2)
    await second.resume(half)
    expect(await lossesOf(second.events())).toEqual(expected.slice(done))
    expect(done).toBeLessThan(expected.length)
  })
})
