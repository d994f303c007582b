// Language models on the command line, from a text of one's own to what is written, completed and measured with them.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { after } from '../../lib/cli/typing.js'
import { type Ended, ostrich as command } from '../support/command-line.js'

let folder = ''
const ostrich = (args: readonly string[], input?: string) => command(folder, args, input)

const place = ['--device', 'cpu', '--precision', 'f32', '--threads', '1']

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-lm-'))
  await writeFile(join(folder, 'letters.txt'), 'the cat sat on the mat. '.repeat(600))
  await writeFile(join(folder, 'words.txt'), 'the cat sat on the mat\nthe dog sat on the log\n'.repeat(400))
  const train = (recipe: string, text: string, run: string, ...more: string[]): Promise<Ended> =>
    ostrich(['train', recipe, '--data', text, '--folder', run, '--epochs', '1', ...place, ...more])
  const ended = [
    await train('shakespeare', 'letters.txt', 'letters', '--batch', '8'),
    await train('ptb-small', 'words.txt', 'one'),
    await train('ptb-small', 'words.txt', 'two', '--seed', '2'),
  ]
  for (const { code, err, out } of ended) expect(code, err + out).toBe(0)
  expect(ended[0]!.out).toMatch(/validation loss [\d.]+, [\d.]+ bits, accuracy/)
  // A text of one's own has no test part.
  expect(ended[1]!.out).toMatch(/validation perplexity [\d.]+, loss/)
  expect(ended[1]!.err).toMatch(/perplexity [\d.]+ .*words\/s/)
}, 240_000)
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('train', () => {
  it('logs and draws perplexity', async () => {
    const log = (await readFile(join(folder, 'one', 'log.jsonl'), 'utf8')).trim().split('\n')
    const events = log.map((line) => JSON.parse(line) as { type: string; validation?: { perplexity: number } })
    expect(events.find(({ type }) => type === 'epoch')?.validation?.perplexity).toBeGreaterThan(1)
    expect(await readFile(join(folder, 'one', 'curves.svg'), 'utf8')).toContain('validation perplexity')
  })

  it('refuses a text that is absent, and one that is too short', async () => {
    const absent = await ostrich(['train', 'ptb-small', '--data', 'none.txt', '--folder', 'x'])
    expect(absent.code).toBe(1)
    expect(absent.err).toMatch(/ptb: expected the file none\.txt\/ptb\.train\.txt \(or \.gz\), got none/)
    await writeFile(join(folder, 'short.txt'), 'to be')
    const short = await ostrich(['train', 'shakespeare', '--data', 'short.txt', '--folder', 'x'])
    expect(short.code).toBe(1)
    expect(short.err).toMatch(/expected a text of/)
  })
})

describe('eval', () => {
  it('measures a text in one pass, and the keys that completion saves', async () => {
    const { code, out } = await ostrich(['eval', 'letters', '--typing', '6', '--json', '--device', 'cpu'])
    expect(code).toBe(0)
    const measured = JSON.parse(out) as { bits: number; loss: number; top5: number; typing: { words: number } }
    expect(measured.bits).toBeCloseTo(measured.loss / Math.LN2, 5)
    expect(measured.top5).toBeGreaterThan(0.5)
    expect(measured.typing.words).toBe(6)
    const said = await ostrich(['eval', 'one', '--typing', '20'])
    expect(said.out).toMatch(
      /^validation perplexity [\d.]+, loss [\d.]+, accuracy [\d.]+ %, top 5 [\d.]+ %\ntyping 20 words .* saved/,
    )
  })
})

describe('generate', () => {
  it('writes the first sample as it goes, the same with the same seed', async () => {
    const args = ['generate', 'letters', '--prompt', 'the ', '--length', '40', '--threads', '1']
    const first = await ostrich(args)
    expect(first.code).toBe(0)
    expect(first.out).toMatch(/^the [^]{40}\n$/)
    expect(first.err).toMatch(/1 drawn, the first shown first; temperature 1, seed 1; \d+ characters\/s/)
    expect((await ostrich(args)).out).toBe(first.out)
    expect((await ostrich([...args, '--seed', '2'])).out).not.toBe(first.out)
  })

  it('draws many at once', async () => {
    const { out } = await ostrich(['generate', 'one', '--length', '8', '--number', '3', '--json', '--top-k', '2'])
    const made = JSON.parse(out) as { samples: string[]; unit: string; topK: number }
    expect([made.samples.length, made.unit, made.topK]).toEqual([3, 'word', 2])
    for (const sample of made.samples) expect(sample.split(/\s/).length).toBeGreaterThan(4)
  })

  it.for([
    [['--temperature', '0'], 2, /--temperature expects a number above 0, got 0/],
    [['--temperature=-1'], 2, /--temperature expects a number above 0, got -1/],
    [['--top-k', '0'], 2, /--top-k expects at least 1, got 0/],
    [['--number', '0'], 2, /--number expects at least 1/],
    [['--length', '0'], 2, /--length expects at least 1/],
    [['--prompt', 'Xerxes'], 1, /--prompt: expected characters of the vocabulary \(.*\), got "X" at 0/],
  ] as const)('refuses %j', async ([args, code, message]) => {
    const ended = await ostrich(['generate', 'letters', ...args])
    expect(ended.err).toMatch(message)
    expect(ended.code).toBe(code)
  })

  it('refuses what is no language model', async () => {
    const absent = await ostrich(['generate', 'nowhere'])
    expect(absent.code).toBe(1)
    expect(absent.err).toMatch(/nowhere: expected a readable file/)
  })
})

describe('complete', () => {
  it('ranks what a text may go on with, of an argument and of lines', async () => {
    const { code, out } = await ostrich(['complete', 'one', 'the cat s', '--number', '2'])
    expect(code).toBe(0)
    expect(out).toMatch(/^ *[\d.]+ % {2}the cat sat\n/)
    const piped = await ostrich(['complete', 'letters', '--json', '--threads', '1'], 'the c\nthe cat \n')
    const lines = piped.out.trim().split('\n')
    expect(lines).toHaveLength(2)
    expect(JSON.parse(lines[0]!)).toMatchObject({ text: 'the c' })
    const unknown = await ostrich(['complete', 'letters', 'Xerxes'])
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringMatching(/got "X" at 0/)])
  })

  it('types as the keys say', () => {
    const offered = [{ text: 'at', probability: 0.9 }]
    expect(after('the c', '\t', offered)).toBe('the cat ')
    expect(after('the c', '\t', [])).toBe('the c')
    expect(after('the', '\x7f', offered)).toBe('th')
    expect(after('the', ' ', offered)).toBe('the ')
    expect(after('the', '\r', offered)).toBe('the\n')
    expect(after('the', '\x1b[A', offered)).toBe('the')
  })
})

describe('ensemble', () => {
  it('is better than its worst member, and of one model is that model', async () => {
    const { code, out } = await ostrich(['ensemble', 'one', 'two', '--data', 'words.txt', '--json'])
    expect(code).toBe(0)
    const made = JSON.parse(out) as { members: { perplexity: number }[]; perplexity: number; tokens: number }
    expect(made.members).toHaveLength(2)
    expect(made.perplexity).toBeLessThan(Math.max(...made.members.map(({ perplexity }) => perplexity)))
    const alone = await ostrich(['ensemble', 'one', '--data', 'words.txt', '--json'])
    const one = JSON.parse(alone.out) as typeof made
    expect(one.perplexity).toBeCloseTo(made.members[0]!.perplexity, 3)
    expect(one.perplexity).toBeCloseTo(one.members[0]!.perplexity, 6)
  })

  it('refuses models of other vocabularies', async () => {
    const { code, err } = await ostrich(['ensemble', 'one', 'letters', '--data', 'words.txt'])
    expect(code).toBe(2)
    expect(err).toMatch(/letters\/last\.safetensors: expected the vocabulary of one\/last\.safetensors, got another/)
  })
})
