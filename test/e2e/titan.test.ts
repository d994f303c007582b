// ostrich bench titan, from the command line: its table, its picture and its file, of noise and of a user's images, which are of so
// few classes that the published rate would end in NaN while it is measured.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ostrich as command } from '../support/command-line.js'
import { tree } from '../support/images.js'

let folder = ''
const ostrich = (...args: string[]) => command(folder, args)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-titan-'))
  await tree(join(folder, 'tree'), { train: 8, val: 1 })
  const { code, err } = await ostrich('data', 'pack', 'tree', 'packed')
  expect(code, err).toBe(0)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

test(
  'measures noise and packed images, and sets the machine beside the published rates',
  { timeout: 600_000 },
  async () => {
    const { code, out, err } = await ostrich(
      ...['bench', 'titan', '--device', 'cpu', '--batch', '8', '--steps', '12', '--data', 'packed', '--out', 'out'],
    )
    expect(code, err).toBe(0)
    expect(out).toMatch(/precision +images +images\/s +of the Titan’s 267 +90 epochs +peak memory/)
    const { rates, split } = JSON.parse(await readFile(join(folder, 'out/titan.json'), 'utf8')) as {
      rates: { data: string; precision: string; rate: number; memory: number }[]
      split: Record<string, number>
    }
    for (const { data, precision, rate, memory } of rates) {
      expect(out).toMatch(new RegExp(`${precision} +${data} +${rate.toFixed(1)} +${(rate / 266.91).toFixed(2)}x`))
      expect(rate).toBeGreaterThan(0)
      // 61,100,840 weights and their velocities.
      expect(memory).toBeGreaterThan((2 * 4 * 61_100_840) / 2 ** 20)
    }
    expect(rates.filter(({ precision }) => precision === 'f32').map(({ data }) => data)).toEqual([
      'synthetic',
      'packed',
    ])
    expect(Math.min(...Object.values(split))).toBeGreaterThan(0)
    const svg = await readFile(join(folder, 'out/titan.svg'), 'utf8')
    for (const { data, precision } of rates) expect(svg).toContain(`this machine: ${precision}, ${data} images`)
    expect(svg).toContain('cuda-convnet2')
  },
)

test.each([
  [['--only', 'f16/synthetic'], /--only expects a precision and a kind of images such as f32\/synthetic, got f16/],
  [['--data', 'nowhere'], /nowhere/],
])('refuses %j', async (args, words) => {
  const { code, err } = await ostrich('bench', 'titan', ...args)
  expect(code).not.toBe(0)
  expect(err).toMatch(words)
  expect(err).not.toMatch(/^ {4}at /m)
})
