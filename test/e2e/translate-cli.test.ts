// Translation on the command line: lines and translations of one's own, trained on, gone on with and measured.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inspectCheckpoint } from '../../lib/train/index.js'
import { type Ended, ostrich as command } from '../support/command-line.js'

let folder = ''
const ostrich = (args: readonly string[], input?: string) => command(folder, args, input)

const place = ['--device', 'cpu', '--precision', 'f32', '--threads', '1']
const train = (run: string, ...more: string[]): Promise<Ended> =>
  ostrich(['train', 'translate-attention', '--folder', run, ...place, ...more])

const german = ['null', 'eins', 'zwei', 'drei']
const english = ['zero', 'one', 'two', 'three']

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-translate-'))
  const numbers = Array.from({ length: 64 }, (_, i) => [i % 4, (i >> 2) % 4, (i >> 4) % 4])
  const lines = (words: readonly string[], of: readonly number[][]) =>
    of.map((own) => own.map((digit) => words[digit]).join(' ')).join('\n')
  await writeFile(join(folder, 'a.de'), lines(german, numbers))
  await writeFile(join(folder, 'b.en'), lines(english, numbers))
  await writeFile(join(folder, 'held.de'), lines(german, numbers.slice(0, 8)))
  await writeFile(join(folder, 'held.en'), lines(english, numbers.slice(0, 8)))
  const { code, err, out } = await train('one', '--data', 'a.de', 'b.en', '--epochs', '1', '--batch', '16')
  expect(code, err + out).toBe(0)
}, 120_000)
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('train', () => {
  it('keeps both tokenizers in its checkpoint, and where the lines were in its configuration', async () => {
    const info = await inspectCheckpoint(join(folder, 'one', 'last.safetensors'))
    const { source, target } = info?.tokenizers ?? {}
    expect(source?.decode(source.encode('eins zwei'))).toBe('eins zwei')
    expect(target?.decode(target.encode('three zero'))).toBe('three zero')
    expect(JSON.parse(await readFile(join(folder, 'one', 'config.json'), 'utf8'))).toMatchObject({
      recipe: 'translate-attention',
      data: ['a.de', 'b.en'],
    })
  })

  it('measures by files of its own, and goes on by the same', async () => {
    const own = ['--data', 'a.de', 'b.en', '--validation', 'held.de', 'held.en', '--epochs', '1']
    const first = await train('held', ...own)
    expect(first.code, first.err).toBe(0)
    const more = await ostrich(['train', 'translate-attention', '--resume', 'held', '--epochs', '2', ...place])
    expect(more.code, more.err).toBe(0)
    expect(more.err).not.toContain('the run will differ')
    const config = JSON.parse(await readFile(join(folder, 'held', 'config.json'), 'utf8')) as object
    expect(config).toMatchObject({ validation: ['held.de', 'held.en'], epochs: 2 })
  }, 60_000)

  it.for([
    [['--data', 'a.de', 'held.en'], 1, /held\.en: expected as many lines as a\.de has, 64, got 8/],
    [['--data', 'a.de', 'none.en'], 1, /none\.en/],
    [['--validation', 'held.de', 'held.en'], 2, /--validation expects two files in --data beside it, got none/],
    [['--data', 'a.de', 'b.en', '--test', 'held.de'], 2, /--test expects two files, lines and their translations/],
  ] as const)('refuses %j', async ([args, exit, message]) => {
    const { code, err } = await train('x', ...args)
    expect([code, message.test(err), err]).toEqual([exit, true, err])
  })

  it('refuses two files for a recipe of something else', async () => {
    const { code, err } = await ostrich(['train', 'mnist', '--data', 'a.de', 'b.en', '--folder', 'x'])
    expect([code, err]).toEqual([2, expect.stringContaining('--data expects one path, as mnist is trained on')])
  })
})
