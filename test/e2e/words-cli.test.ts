// `ostrich words`: vectors of a small text trained, asked, mapped and drawn.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PhiloxStream } from '../../lib/data/index.js'
import { type Ended, ostrich as command } from '../support/command-line.js'

let folder = ''
const ostrich = (...args: string[]): Promise<Ended> => command(folder, ['words', ...args])
const place = ['--device', 'cpu']
const knobs = ['--dimension', '8', '--epochs', '6', '--threads', '1', ...place]
const animals = ['dolphin', 'whale', 'seal', 'shark', 'otter']
const cities = ['paris', 'rome', 'berlin', 'madrid', 'vienna']

/** Sentences about animals, and about cities. */
function sentences(seed: number, rename: (word: string) => string): string {
  const random = new PhiloxStream(seed, 0, 0)
  const line = (): string => {
    const topic = random.below(2) === 0 ? [...animals, 'swims', 'deep'] : [...cities, 'street', 'wide']
    return Array.from({ length: 6 }, () => rename(topic[random.below(topic.length)]!)).join(' ')
  }
  return `${Array.from({ length: 2000 }, line).join('\n')}\n`
}
const turned = (word: string): string => Array.from(word).reverse().join('')

let ended: readonly Ended[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-words-cli-'))
  await writeFile(
    join(folder, 'one.txt'),
    sentences(1, (word) => word),
  )
  await writeFile(join(folder, 'two.txt'), sentences(2, turned))
  const pairs = [...animals, ...cities, 'swims', 'deep', 'street', 'wide']
  await writeFile(join(folder, 'pairs.txt'), pairs.map((word) => `${word} ${turned(word)}`).join('\n'))
  ended = [
    await ostrich('train', 'one.txt', '--folder', 'one', ...knobs),
    await ostrich('train', 'two.txt', '--folder', 'two', '--quiet', ...knobs),
  ]
  for (const { code, err, out } of ended) expect(code, err + out).toBe(0)
}, 120_000)
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('words train', () => {
  it('says what it made, and what to do next', () => {
    expect(ended[0]!.out).toMatch(/^one\/vectors\.bin: 14 vectors of 8 numbers, [\d.]+ s\n$/)
    expect(ended[0]!.err).toMatch(/14 words that stand there often enough, of 12,000 in all/)
    expect(ended[0]!.err).toContain('ostrich words near one ')
    expect(ended[1]!.err).toBe('')
  })

  it('does not write over another training', async () => {
    const { code, err } = await ostrich('train', 'one.txt', '--folder', 'one')
    expect([code, err]).toEqual([2, expect.stringContaining('--folder expects a new folder, got one, which holds')])
  })

  it('does not go on with another text', async () => {
    const { code, err } = await ostrich('train', 'two.txt', '--resume', 'one', ...knobs)
    expect(code).toBe(1)
    expect(err).toContain('one/words.counts: expected the words of this text, got those of another (ERR_CHECKPOINT)')
  })

  it('refuses what is no text, by name', async () => {
    await writeFile(join(folder, 'bytes.txt'), Uint8Array.of(104, 0, 105))
    const { code, err } = await ostrich('train', 'bytes.txt')
    expect([code, err]).toEqual([
      1,
      'ostrich: bytes.txt, line 1: expected a text in UTF-8, got a NUL byte (ERR_DATA)\n',
    ])
  })
})

describe('words near', () => {
  it('lists like words, the best first', async () => {
    const { out } = await ostrich('near', 'one', 'dolphin', '--most', '6')
    const words = out
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[1])
    expect([...words].sort()).toEqual([...animals, 'swims', 'deep'].filter((word) => word !== 'dolphin').sort())
  })

  it('adds words and takes them away, as one text or several', async () => {
    const several = await ostrich('near', 'one', 'paris', '-', 'rome', '+', 'berlin', '--most', '1')
    const one = await ostrich('near', 'one/vectors.bin', 'paris - rome + berlin', '--most', '1')
    expect(several.out).toMatch(/^-?[\d.]+\t\w+\n$/)
    expect(one.out).toBe(several.out)
  })

  it('refuses unknown words with near ones, and signs without words', async () => {
    const unknown = await ostrich('near', 'one', 'dolphins')
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('got "dolphins"; near are "dolphin"')])
    const bare = await ostrich('near', 'one', 'paris', '-')
    expect([bare.code, bare.err]).toEqual([2, expect.stringContaining('expected a word behind -, got none')])
  })
})

describe('words analogies', () => {
  it('tells a share for each category, and a correlation', async () => {
    await writeFile(
      join(folder, 'questions.txt'),
      ': cities\nparis rome berlin madrid\n: gram\nwhale seal otter shark\n',
    )
    await writeFile(join(folder, 'similar.txt'), 'paris\trome\t9\nparis\twhale\t1\nseal\twhale\t8\nseal\trome\t2\n')
    const { out, code, err } = await ostrich('analogies', 'one', 'questions.txt', 'similar.txt', ...place)
    expect(code, err).toBe(0)
    expect(out).toMatch(/^cities +[\d.]+ % +\d of 1$/m)
    expect(out).toMatch(/^syntactic +[\d.]+ % +\d of 1$/m)
    expect(out).toMatch(/^similar\.txt: Spearman [01]\.\d+ over 4 pairs$/m)
  })
})

describe('words map and translate', () => {
  it('measures a map, and writes translations', async () => {
    const learned = ['one', 'two', 'pairs.txt']
    const measured = await ostrich('map', ...learned, 'pairs.txt', '--retrieval', 'cosine', ...place)
    expect(measured.code, measured.err).toBe(0)
    expect(measured.out).toMatch(/^P@1 +[\d.]+ %\nP@5 +[\d.]+ %\nP@10 +[\d.]+ %\n$/)
    const refined = await ostrich('map', ...learned, 'pairs.txt', '--refine', '2', ...place)
    expect(refined.err).toMatch(/learned anew 2 times, from \d+ pairs at last|each other's nearest, .* got [0-7] /)
    const { out } = await ostrich('translate', ...learned, 'whale', 'rome', '--most', '2', ...place)
    const [whale, rome] = out
      .trim()
      .split('\n')
      .map((line) => line.split('\t').map((part) => part.split(' ')[0]!))
    expect([whale![0], rome![0], whale!.length]).toEqual(['whale', 'rome', 3])
    expect(animals.concat('swims', 'deep')).toContain(turned(whale![1]!))
    expect(cities.concat('street', 'wide')).toContain(turned(rome![1]!))
  })
})

describe('words plot', () => {
  it('draws words, like ones near each other', async () => {
    const { out, code, err } = await ostrich('plot', 'one', ...animals, ...cities, '--out', 'words.svg')
    expect([code, out], err).toEqual([0, 'words.svg shows 10 words\n'])
    const svg = await readFile(join(folder, 'words.svg'), 'utf8')
    const placeOf = (word: string): number => Number(new RegExp(`x="([\\d.]+)"[^>]*>${word}<`).exec(svg)![1])
    const [a, b] = [animals.map(placeOf), cities.map(placeOf)]
    expect(Math.max(...a) < Math.min(...b) || Math.max(...b) < Math.min(...a)).toBe(true)
    expect(svg).toMatch(/first principal component, [\d.]+ % of all differences/)
  })
})

describe('words', () => {
  it('lists its actions, and answers a mistake with the nearest', async () => {
    const { out } = await ostrich()
    for (const name of ['train', 'near', 'analogies', 'map', 'translate', 'plot']) expect(out).toContain(`  ${name}`)
    const { code, err } = await ostrich('nera')
    expect([code, err]).toEqual([2, expect.stringContaining('got nera. Did you mean near?')])
  })
})
