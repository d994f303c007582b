// The adding problem, trained: the command's table and files at a small size, what an LSTM learns, and what is refused.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { learned, measureLag, type LagResult } from '../../lib/experiments/index.js'
import { ostrich as command } from '../support/command-line.js'

let folder = ''
const ostrich = (...args: string[]) => command(folder, args)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-lags-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

test('an LSTM learns to add over twenty steps, and stops there', { timeout: 120_000 }, async () => {
  const result = await measureLag({ cell: 'lstm', length: 20, seed: 1, budget: 80_000 })
  expect(result.error).toBeLessThan(learned)
  expect(result.sequences).toBeLessThan(80_000)
  // 4 * 64 gates of 64 states, 2 inputs and a bias, and the answer of 64 states and a bias.
  expect(result.weights).toBe(4 * 64 * (64 + 2 + 1) + 65)
})

test('the command tells every length and writes the picture', { timeout: 120_000 }, async () => {
  const { code, out, err } = await ostrich(
    'lags',
    '--lengths',
    '3,6',
    '--seeds',
    '2',
    '--budget',
    '8000',
    '--out',
    'out',
  )
  expect(err).toContain('written to out/lags.svg')
  expect(code).toBe(0)
  const [head, ...rows] = out.trimEnd().split('\n')
  expect(head).toMatch(/steps +rnn: sequences +least error +lstm: sequences +least error/)
  expect(rows.map((row) => row.trim().split(/ +/)[0])).toEqual(['3', '6'])
  const { results } = JSON.parse(await readFile(join(folder, 'out/lags.json'), 'utf8')) as { results: LagResult[] }
  expect(results).toHaveLength(8)
  expect(new Set(results.map(({ error }) => error)).size).toBe(8)
  const svg = await readFile(join(folder, 'out/lags.svg'), 'utf8')
  expect(svg.match(/class="dot/g)).toHaveLength(8)
})

test.each([
  [['--lengths', '1'], 'lags: --lengths expects whole numbers from 2 to 10000 with commas between, got 1'],
  [['--lengths', '10,x'], 'got 10,x'],
  [['--seeds', '0'], 'lags: --seeds and --budget expect at least 1, got 0'],
])('refuses %j', async (args, words) => {
  const { code, err } = await ostrich('lags', ...args)
  expect(code).toBe(2)
  expect(err).toContain(words)
})
