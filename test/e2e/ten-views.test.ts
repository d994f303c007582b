// A recipe whose number is of ten views of each image, from the command line: measured so at the end of a training, and by `eval`
// where nothing else is asked for. Its data are CIFAR-10's files, full of made-up images.
import { link, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Metrics } from '../../lib/train/index.js'
import { ostrich as command } from '../support/command-line.js'

const files = ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch']
const [images, record] = [10_000, 1 + 3 * 32 * 32]
/** Red, green and blue of a class: no two have the same. */
const levels = (kind: number): number[] =>
  [kind % 2, Math.floor(kind / 2) % 2, Math.floor(kind / 4) / 2].map((x) => 40 + 170 * x)
let folder = ''
const ostrich = async (...args: string[]): Promise<string> => {
  const { code, out, err } = await command(folder, args)
  expect(code, err).toBe(0)
  return out
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-views-'))
  // Of each class a colour of its own; the right columns have that of another class, of which windows show more or less.
  const bytes = Uint8Array.from({ length: images * record }, (_, at) => {
    const [image, i] = [Math.floor(at / record), at % record]
    const kind = image % 10
    if (i === 0) return kind
    const [plane, column] = [Math.floor((i - 1) / 1024), (i - 1) % 32]
    return levels(column < 20 ? kind : (kind + 1 + (Math.floor(image / 10) % 9)) % 10)[plane]!
  })
  await writeFile(join(folder, `${files[0]}.bin`), bytes)
  for (const name of files.slice(1)) await link(join(folder, `${files[0]}.bin`), join(folder, `${name}.bin`))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

test('ten views are what the number of cifar10-local is of', { timeout: 600_000 }, async () => {
  const said = await ostrich(
    ...['train', 'cifar10-local', '--data', '.', '--epochs', '1', '--batch', '1000', '--folder', 'run', '--quiet'],
  )
  expect(said).toMatch(
    /^test accuracy over ten views [\d.]+ %, loss [\d.]+ after [\d.]+ s \(86\.00 % (?:not )?reached\)/,
  )
  const events = (await readFile(join(folder, 'run/log.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; test?: Metrics; validation?: Metrics })
  // All training images are trained on, so nothing is measured before the end.
  const measured = events.filter((event) => 'test' in event || typeof event.validation?.loss === 'number')
  expect(measured.map(({ type }) => type)).toEqual(['test'])
  const atEnd = measured[0]?.test
  const measure = async (...more: string[]) =>
    JSON.parse(await ostrich('eval', 'run', '--json', ...more)) as Metrics & { views?: number }
  const ten = await measure()
  expect(ten.views).toBe(10)
  expect(atEnd?.loss).toBeCloseTo(ten.loss, 5)
  const one = await measure('--views', '1')
  expect(one.views).toBeUndefined()
  // The middle window shows another share of the other colour than those at the sides: 8 columns, they 4 and 12.
  expect(Math.abs(one.loss - ten.loss)).toBeGreaterThan(0.05)
})
