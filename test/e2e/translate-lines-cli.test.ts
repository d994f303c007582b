// `ostrich translate`, and what `train` and `eval` tell of translations, with a network that a command has trained.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { session } from '../../lib/train/index.js'
import { type Ended, main, ostrich as command } from '../support/command-line.js'
import { numberPairs } from '../support/small-translation.js'
import { options, perceptron } from './tasks.js'

let folder = ''
const ostrich = (args: readonly string[], input?: string) => command(folder, args, input)
const place = ['--device', 'cpu', '--precision', 'f32', '--threads', '1']
const train = (recipe: string, run: string, ...more: string[]): Promise<Ended> => {
  const files = ['--data', 'a.de', 'b.en', '--test', 'test.de', 'test.en']
  return ostrich(['train', `translate-${recipe}`, ...files, '--folder', run, '--batch', '16', ...place, ...more])
}
const translate = (args: readonly string[], input: string): Promise<Ended> =>
  ostrich(['translate', ...args, ...place], input)

let ended: readonly Ended[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-translate-lines-'))
  const write = async (de: string, en: string, pairs: ReturnType<typeof numberPairs>): Promise<void> => {
    await writeFile(join(folder, de), pairs.source.join('\n'))
    await writeFile(join(folder, en), pairs.target.join('\n'))
  }
  await write('a.de', 'b.en', numberPairs(96, [1, 4]))
  await write('test.de', 'test.en', numberPairs(12, [1, 4], 8))
  ended = [
    await train('attention', 'one', '--epochs', '6', '--rate', '0.005'),
    await train('attention', 'two', '--epochs', '2', '--rate', '0.005', '--seed', '2'),
    await train('lstm', 'lstm', '--epochs', '1'),
  ]
  for (const { code, err, out } of ended) expect(code, err + out).toBe(0)
  const net = perceptron()
  await using digits = await session(net, options({ config: { recipe: 'mnist' } }))
  await digits.save(join(folder, 'digits.safetensors'))
}, 300_000)
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('train', () => {
  it('measures translations once, at the end, by the number of its recipe', async () => {
    const [one, , lstm] = ended
    const scores =
      /^test BLEU ([\d.]+), loss [\d.]+, perplexity [\d.]+, .*chrF [\d.]+, forced perplexity [\d.]+, own-word perplexity [\d.]+ after .* \(34 (not )?reached\)/
    expect(one!.out).toMatch(scores)
    expect(one!.out).toMatch(/^BLEU\|nrefs:1\|case:lc\|eff:no\|tok:13a\|smooth:exp\|version:ostrich-\S+ = [\d.]+/m)
    expect(one!.out).toMatch(/^chrF2\|nrefs:1\|case:lc\|/m)
    expect(one!.out).toMatch(/^12 lines translated, [\d.]+ lines\/s \(beam 5, length penalty gnmt\)/m)
    expect(one!.out).toContain('ostrich translate one/last.safetensors')
    expect(lstm!.out).toMatch(/^test own-word perplexity [\d.]+, .* \(43\.8 (not )?reached\)/)
    const log = (await readFile(join(folder, 'one', 'log.jsonl'), 'utf8')).trim().split('\n')
    const test = log
      .map((line) => JSON.parse(line) as { type: string; test?: object })
      .find(({ type }) => type === 'test')
    expect(Object.keys(test!.test!)).toEqual(
      expect.arrayContaining(['bleu', 'chrf', 'forcedPerplexity', 'ownPerplexity']),
    )
  })

  it('measures them by what was held back where there is no test part', async () => {
    const { code, out } = await ostrich([
      'train',
      'translate-lstm',
      '--data',
      'a.de',
      'b.en',
      '--folder',
      'untested',
      '--epochs',
      '1',
      '--quiet',
      ...place,
    ])
    expect(code).toBe(0)
    expect(out).toMatch(/^validation own-word perplexity [\d.]+, .*forced perplexity/)
  }, 60_000)
})

describe('eval', () => {
  it('tells perplexities and scores with their signatures, in words and as JSON', async () => {
    const said = await ostrich(['eval', 'one', '--device', 'cpu', '--precision', 'f32'])
    expect(said.code, said.err).toBe(0)
    // What training has told at its end.
    const numbers = (text: string) =>
      /^test BLEU .*?, own-word perplexity [\d.]+/
        .exec(text)![0]
        .match(/[\d.]+/g)!
        .map(Number)
    const told = numbers(ended[0]!.out)
    for (const [i, value] of numbers(said.out).entries()) expect(Math.abs(value - told[i]!)).toBeLessThan(0.011)
    expect(told).toHaveLength(7)
    const json = await ostrich([
      'eval',
      'one',
      '--json',
      '--on',
      'validation',
      '--beam',
      '1',
      '--length-penalty',
      'gnmt',
    ])
    const made = JSON.parse(json.out) as Record<string, unknown>
    expect(made).toMatchObject({
      recipe: 'translate-attention',
      search: { beam: 1, lengthPenalty: 'gnmt' },
      signatures: {
        bleu: expect.stringContaining('tok:13a') as string,
        chrf: expect.stringContaining('nc:6') as string,
      },
    })
    for (const name of ['loss', 'perplexity', 'bleu', 'chrf', 'forcedPerplexity', 'ownPerplexity', 'linesPerSecond'])
      expect(made[name]).toEqual(expect.any(Number))
    // Two ways to the same number.
    expect(Number(made['forcedPerplexity']) / Number(made['perplexity'])).toBeCloseTo(1, 4)
  }, 60_000)

  it('refuses a search for what does not translate', async () => {
    const { code, err } = await ostrich(['eval', 'digits.safetensors', '--beam', '3'])
    expect([code, err]).toEqual([2, expect.stringMatching(/of a network that translates or hears, got mnist/)])
  })
})

describe('translate', () => {
  it('writes a line for each line, in their order', async () => {
    const lines = ['eins', '', 'zwei drei vier\r', 'unbekannte Wörter 🙂', '   ', 'drei']
    const { code, out, err } = await translate(['one'], lines.join('\n'))
    expect(code, err).toBe(0)
    const found = out.split('\n')
    expect(found).toHaveLength(7)
    expect([found[1], found[4], found[6]]).toEqual(['', '', ''])
    expect(found.filter((line) => line !== '')).toHaveLength(4)
    expect(err).toMatch(/^6 lines in [\d.]+ s, \d+ lines\/s \(beam 5, length penalty gnmt\)$/m)
    // Each by itself, and from a file, is the same.
    await writeFile(join(folder, 'three.de'), 'zwei drei vier\neins\ndrei\n')
    const file = await ostrich(['translate', 'one', '--input', 'three.de', '--batch', '1', ...place])
    expect(file.out).toBe(`${[found[2], found[0], found[5]].join('\n')}\n`)
  }, 60_000)

  it('reads what is in upper case as what is in lower case', async () => {
    const { out } = await translate(['one'], 'EINS ZWEI\neins zwei\n')
    const [upper, lower] = out.split('\n')
    expect(upper).toBe(lower)
    expect(lower).not.toBe('')
  })

  it('answers while the pipe is open', async () => {
    const child = spawn(process.execPath, [main, 'translate', 'one', ...place], { cwd: folder })
    const read = async (): Promise<string> => String((await once(child.stdout, 'data'))[0])
    child.stdin.write('eins zwei\n')
    const first = await read()
    expect(first).toMatch(/^[^\n]+\n$/)
    child.stdin.write('eins zwei\nd')
    expect(await read()).toBe(first)
    child.stdin.end('rei')
    const last = await read()
    expect(last).toMatch(/^[^\n]*\n$/)
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(0)
  }, 60_000)

  it('ends quietly where the reader ends', async () => {
    const child = spawn(process.execPath, [main, 'translate', 'one', ...place], { cwd: folder })
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.stdin.on('error', () => undefined)
    child.stdin.write('eins\n')
    await once(child.stdout, 'data')
    child.stdout.destroy()
    child.stdin.end('zwei\n')
    const [code] = (await once(child, 'close')) as [number]
    expect([code, err]).toEqual([0, expect.not.stringContaining('EPIPE')])
  }, 60_000)

  it('gives several translations of each line, and JSON', async () => {
    const { out } = await translate(['one', '--n-best', '3', '--beam', '4'], 'eins\nzwei drei\n')
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
    expect(rows.map(([rank]) => rank)).toEqual(['1', '2', '3', '1', '2', '3'])
    const scores = rows.map(([, score]) => Number(score))
    for (const first of [0, 3]) expect(scores[first]).toBeGreaterThanOrEqual(scores[first + 1]!)
    const json = await translate(['one', '--json', '--n-best', '2', '--length-penalty', 'none'], 'eins\n')
    const made = JSON.parse(json.out) as { line: string; translations: { text: string; score: number }[] }
    expect([made.line, made.translations.length]).toEqual(['eins', 2])
  }, 60_000)

  it('draws what each word of the first line looked at', async () => {
    const { code, err } = await translate(['one', '--attention', 'looked.svg'], '\neins zwei\n')
    expect(code, err).toBe(0)
    const svg = await readFile(join(folder, 'looked.svg'), 'utf8')
    expect(svg).toContain('<svg')
    expect(svg).toMatch(/>eins<.*>zwei</s)
    const blind = await translate(['lstm', '--attention', 'none.svg'], 'eins\n')
    expect([blind.code, blind.err]).toEqual([2, expect.stringMatching(/looks at its source .*, got translate-lstm/)])
  }, 60_000)

  it('translates by several networks together, of the same tokens', async () => {
    const alone = await translate(['one', '--n-best', '1'], 'eins zwei\n')
    const twice = await translate(['one', 'one', '--n-best', '1'], 'eins zwei\n')
    expect(twice.code, twice.err).toBe(0)
    const cells = ({ out }: Ended) => out.trimEnd().split('\t')
    expect(cells(twice)[2]).toBe(cells(alone)[2])
    expect(Number(cells(twice)[1])).toBeCloseTo(Number(cells(alone)[1]), 3)
    const both = await translate(['one', 'two', '--n-best', '1'], 'eins zwei\n')
    expect(both.code, both.err).toBe(0)
    expect(Math.abs(Number(cells(both)[1]) - Number(cells(alone)[1]))).toBeGreaterThan(0.01)
    const other = await translate(['one', 'lstm'], 'eins\n')
    const path = join('lstm', 'last.safetensors')
    expect([other.code, other.err]).toEqual([2, expect.stringContaining(`${path}: expected the tokens of one`)])
  }, 60_000)

  it('refuses a line that is too long by its number, or translates it in parts', async () => {
    const long = Array<string>(140).fill('eins').join(' ')
    const refused = await translate(['one'], `eins\n${long}\n`)
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/expected lines of at most 127 tokens, got \d+ in line 2 \(ERR_DATA\)/)
    const parted = await translate(['one', '--split', '--beam', '1'], `${long}\neins\n`)
    expect(parted.code, parted.err).toBe(0)
    expect(parted.out.split('\n')).toHaveLength(3)
  }, 60_000)

  it.for([
    [
      ['digits.safetensors'],
      2,
      /digits\.safetensors: expected a checkpoint of a network that translates, got one of mnist/,
    ],
    [['nowhere'], 1, /nowhere: expected a readable file/],
    [['one', '--input', 'none.de'], 1, /none\.de: expected a readable file, got none/],
    [['one', '--n-best', '6'], 2, /--n-best expects at most as many as there are beams, 5, got 6/],
    [['one', '--n-best', '0'], 2, /--n-best expects at least 1, got 0/],
    [['one', '--beam', '0'], 2, /--beam expects at least 1, got 0/],
    [['one', '--length-penalty', 'men'], 2, /--length-penalty expects none, mean, gnmt, got men\. Did you mean mean\?/],
    [['one', '--alpha', '0'], 2, /--alpha expects a number above 0, got 0/],
    [[], 2, /translate: expected <checkpoint\|run>/],
  ] as const)('refuses %j', async ([args, code, message]) => {
    const made = await translate(args, 'eins\n')
    expect(made.err).toMatch(message)
    expect(made.code).toBe(code)
  })
})
