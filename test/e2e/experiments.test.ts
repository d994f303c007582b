// Negative examples from the command line, over made-up digits: tables, the page in a browser, a network that sees one class in
// everything, the bounds of its layers; and attacks on a network from its checkpoint.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mnist } from '../../lib/data/index.js'
import { layouts, trainOnPool, wrongLabels } from '../../lib/experiments/index.js'
import { type Table } from '../../lib/report/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import { sigmoidMlpLayers } from '../../lib/models/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { fc100 } from '../../lib/recipes/index.js'
import { lbfgsAttack } from '../../lib/solvers/index.js'
import { openSafetensors } from '../../lib/files/index.js'
import { load } from '../../lib/infer/index.js'
import { browser, elementsOf, screenshot } from '../support/browser.js'
import { ostrich as command } from '../support/command-line.js'
import { makeDigits } from '../support/digits.js'

const limit = { timeout: 300_000 }
let folder = ''
const ostrich = (...args: string[]) => command(folder, args)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-experiments-'))
  await makeDigits(join(folder, 'digits'), 1000)
  const trained = await ostrich(
    'train',
    'fc100-100-10',
    '--data',
    'digits',
    '--epochs',
    '40',
    '--folder',
    'run',
    '--quiet',
  )
  if (trained.code !== 0) throw new Error(trained.err)
  const options = ['--quick', '--images', '12', '--epochs', '20', '--data', 'digits', '--out', 'out']
  const tables = await ostrich('tables', ...options)
  if (tables.code !== 0) throw new Error(tables.err)
}, 600_000)
afterAll(async () => {
  await rm(folder, { recursive: true })
})

test('tables: every network is wrong on all of its own negative examples, fed again and in 8 bits', limit, async () => {
  const { tables, seeds, images } = JSON.parse(await readFile(join(folder, 'out/tables.json'), 'utf8')) as {
    tables: Table[]
    seeds: number
    images: number
  }
  expect([seeds, images]).toEqual([1, 12])
  expect(tables.map(({ title }) => title)).toEqual(layouts.map(({ title }) => title))
  for (const { title, cells } of tables[0]!.rows) {
    expect([cells[3]!.mean, cells[4]!.mean], title).toEqual([1, 1])
    expect(cells[2]!.mean).toBeGreaterThan(0)
    expect(cells[2]!.mean).toBeLessThan(0.6)
  }
  const [random, runnerUp, , nine] = tables.at(-1)!.rows.map(({ cells }) => cells[0]!.mean)
  expect(nine).toBeLessThanOrEqual(random! + 1e-6)
  expect(nine).toBeLessThanOrEqual(runnerUp! + 1e-6)
  const file = await openSafetensors(join(folder, 'out/images-fc100-100-10-seed1.safetensors'))
  expect(file.tensors.get('bytes')).toMatchObject({ dtype: 'U8', shape: [12, 28, 28] })
  await file.close()
})

test.skipIf(browser === undefined)('the page shows its pictures in a browser', limit, async () => {
  const html = await readFile(join(folder, 'out/index.html'), 'utf8')
  const pictures = html.match(/<img /g)!.length
  expect(pictures).toBe(6 * 8 * 3)
  const out = await elementsOf(folder, 'out/index.html')
  expect(out.match(/<img /g)).toHaveLength(pictures)
  const image = await readFile(await screenshot(folder, 'out/index.html', [1200, 2000]))
  expect([image.readUInt32BE(16), image.readUInt32BE(20)]).toEqual([1200, 2000])
  // An empty page compresses to next to nothing.
  expect(image.length).toBeGreaterThan(30_000)
})

test('fool: every digit is seen as one', limit, async () => {
  const { code, out, err } = await ostrich(
    'fool',
    'run/last.safetensors',
    '--as',
    '3',
    '--images',
    '2',
    '--out',
    'fooled',
  )
  expect(err).toContain('written to')
  expect(code).toBe(0)
  expect(out).toMatch(/class +images +seen as class 3 +distortion\n/)
  expect(out).toMatch(/all +18 +100\.0 %/)
  expect((await readFile(join(folder, 'fooled/index.html'), 'utf8')).match(/<img /g)).toHaveLength(9 * 2 * 3)
  const wrong = await ostrich('fool', 'run/last.safetensors', '--as', 'ostrich')
  expect([wrong.code, wrong.err]).toEqual([
    2,
    expect.stringContaining('--as expects a class by name or number, got ostrich'),
  ])
  const none = await ostrich('fool', 'run/last.safetensors', '--as', '0', '--classes', '1')
  expect([none.code, none.err]).toEqual([1, expect.stringContaining('expected images of the first 1 classes')])
})

test('lipschitz: the bounds of its layers', limit, async () => {
  const { code, out } = await ostrich('lipschitz', 'run/last.safetensors', '--json')
  expect(code).toBe(0)
  const bounds = JSON.parse(out) as { path: string; bound: number }[]
  expect(bounds.map(({ path }) => path)).toEqual([1, 2, 3].map((i) => `fc100-100-10/linear${i}`))
  for (const { bound } of bounds) expect(bound).toBeGreaterThan(0.5)
})

test('training on pools of negative examples of each layer learns as training does', limit, async () => {
  const { train, test: set } = await mnist({ dir: join(folder, 'digits'), validation: 0 })
  const common = {
    widths: [784, 20, 20],
    train,
    test: set,
    seed: 1,
    epochs: 12,
    batch: 32,
    size: 150,
    fresh: 100,
    rounds: 3,
  }
  const made: number[] = []
  for (const levels of [[], [0, 1, 2]]) {
    const layers = sigmoidMlpLayers({ inputs: 784, hidden: [20, 20], classes: 10 })
    const told: number[] = []
    const optimizer = optim.adam({ rate: 0.02 })
    const report = ({ done }: { done: number }) => told.push(done)
    const found = await trainOnPool({ ...common, layers, levels, optimizer, report })
    expect(found.test).toBeLessThan(0.2)
    expect(told.at(-1)).toBe(12 * 1000)
    made.push(found.made)
  }
  // Three pools are filled and renewed nine times, by attacks of which few fail.
  expect(made[0]).toBe(0)
  expect(made[1]).toBeGreaterThan(3 * (150 + 9 * 100) * 0.8)
})

test('a network from a checkpoint can be attacked', limit, async () => {
  const { net, example } = fc100.build()
  await using model = await load(join(folder, 'run/last.safetensors'), net, { input: example, precision: 'f32' })
  const { test: set } = await mnist({ dir: join(folder, 'digits') })
  const bytes = new Uint8Array(4 * 784)
  const labels = new Int32Array(4)
  await set.gather([0, 1, 2, 3], { x: bytes, target: labels })
  const x = Float32Array.from(bytes, (value) => value / 255)
  const target = wrongLabels('random', { labels }, await model.predict(x, { prepared: true }), { seed: 1 })
  using attack = await lbfgsAttack(model, net, { shape: [2, 784] })
  const { reached, x: found } = await attack.run(x, target)
  expect([...reached]).toEqual([1, 1, 1, 1])
  const forward = await model.compile((z: Tensor<'f32', [number, number]>) => ({ label: ops.argmax(net(z)) }), {
    z: [4, 784],
  })
  expect([...(await forward.run({ z: found })).label]).toEqual([...target])
  expect(Object.keys(await model.parameters())).toHaveLength(6)
})
