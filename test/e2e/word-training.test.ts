// Word vectors trained on texts whose words have two kinds of neighbours: what they learn, and that they are the same however a training is cut.
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { corpus, type Corpus, countWords, PhiloxStream, type WordCounts } from '../../lib/data/index.js'
import { KeyedVectors } from '../../lib/infer/index.js'
import { wordVectors, type WordVectorsOptions, type WordVectorsProgress } from '../../lib/train/index.js'

const TOPICS = ['water', 'stone']
const WORDS = 12
let folder = ''
let text: Corpus
let counts: WordCounts

/** Sentences of words of one topic, with a word of no topic here and there. */
function sentences(count: number): string {
  const random = new PhiloxStream(5, 0, 0)
  const line = (): string => {
    const topic = TOPICS[random.below(2)]!
    return Array.from({ length: 8 }, () => (random.below(6) === 0 ? 'and' : `${topic}${random.below(WORDS)}`)).join(' ')
  }
  return Array.from({ length: count }, line).join('\n')
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-word-training-'))
  await writeFile(join(folder, 'text.txt'), sentences(3000))
  text = await corpus(join(folder, 'text.txt'))
  counts = await countWords(text)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const small = { dimension: 24, epochs: 3, sample: 0, device: 'cpu', threads: 1 } as const
const trained = (options: WordVectorsOptions = {}) => wordVectors(text, counts, { ...small, ...options })

/** The smallest cosine within a topic, and the largest between two. */
function separation(vectors: KeyedVectors): { readonly within: number; readonly between: number } {
  const words = TOPICS.map((topic) => Array.from({ length: WORDS }, (_, i) => `${topic}${i}`))
  const cosines = (a: readonly string[], b: readonly string[]) =>
    a.flatMap((one) => b.filter((other) => other !== one).map((other) => vectors.similarity(one, other)))
  return {
    within: Math.min(...words.flatMap((own) => cosines(own, own))),
    between: Math.max(...cosines(words[0]!, words[1]!)),
  }
}

describe('a training', () => {
  it.each([
    { model: 'skipGram', loss: 'negativeSampling' },
    { model: 'cbow', loss: 'negativeSampling' },
    { model: 'skipGram', loss: 'hierarchicalSoftmax' },
    { model: 'cbow', loss: 'hierarchicalSoftmax' },
  ] as const)('brings words of like neighbours together: $model, $loss', async (options) => {
    const { within, between } = separation(new KeyedVectors(await trained({ ...options, epochs: 8 })))
    expect(within).toBeGreaterThan(between)
  })

  it('does so with two threads', async () => {
    const { within, between } = separation(new KeyedVectors(await trained({ threads: 2, epochs: 8 })))
    expect(within).toBeGreaterThan(between)
  })

  it('gives the same vectors for a seed with one thread, others for another', async () => {
    const [one, again, other] = [await trained(), await trained(), await trained({ seed: 2 })]
    expect(again.vectors).toEqual(one.vectors)
    expect(other.vectors).not.toEqual(one.vectors)
    expect([one.words, one.vectors.length]).toEqual([counts.words, 24 * counts.size])
  })

  it('tells how it stands to its end', async () => {
    const told: WordVectorsProgress[] = []
    await trained({ onProgress: (state) => told.push(state) })
    const last = told.at(-1)!
    expect([last.words, last.total, last.epoch, last.epochs]).toEqual([3 * counts.kept, 3 * counts.kept, 3, 3])
    expect(last.rate).toBeLessThan(0.025 / 20)
    expect(last.loss).toBeGreaterThan(0.1)
    expect(last.loss).toBeLessThan(Math.LN2)
  })

  it('leaves no file where it has no folder', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('ostrich-words-'))
    await trained()
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('ostrich-words-'))).toEqual(before)
  })
})

describe('a training that was cut', () => {
  it('by its signal, goes on to the same vectors', async () => {
    const whole = await trained()
    const own = join(folder, 'stopped')
    const controller = new AbortController()
    const stopped = trained({
      folder: own,
      signal: controller.signal,
      onProgress: () => {
        controller.abort(new Error('enough'))
      },
    })
    await expect(stopped).rejects.toThrow('enough')
    expect((await readdir(own)).sort()).toEqual(['last.safetensors', 'tokens.i32', 'words.counts'])
    // The text as numbers is made again where it is gone.
    await rm(join(own, 'tokens.i32'))
    const rest = await trained({ folder: own, resume: true })
    expect(rest.vectors).toEqual(whole.vectors)
  })

  it('by kill -9, goes on to the same vectors', { timeout: 120_000 }, async () => {
    const own = join(folder, 'killed')
    const child = spawn(process.execPath, [
      fileURLToPath(new URL('children/word-training.mjs', import.meta.url)),
      ...[join(folder, 'text.txt'), own, JSON.stringify(small)],
    ])
    const closed = new Promise((resolve) => child.on('close', resolve))
    const saved = (): Promise<boolean> =>
      readFile(join(own, 'last.safetensors')).then(
        () => true,
        () => false,
      )
    while (!(await saved())) await new Promise((resolve) => setTimeout(resolve, 5))
    child.kill('SIGKILL')
    await closed
    const rest = await trained({ folder: own, resume: true })
    expect(rest.vectors).toEqual((await trained()).vectors)
  })
})

describe('a training refuses', () => {
  const own = () => join(folder, 'whole')
  beforeAll(async () => {
    await trained({ folder: own() })
  })

  it.each([
    [{ dimension: 0 }, /wordVectors\[dimension\]: expected a whole number of at least 1, got 0/],
    [{ windows: 3 }, /wordVectors: .*windows/],
    [{ rate: -1 }, /wordVectors\[rate\]: expected a number above 0, got -1/],
    [{ resume: true }, /wordVectors\[resume\]: expected a folder to go on in, got none/],
    [{ loss: 'hierarchicalSoftmax', negatives: 5 }, /wordVectors\[negatives\]: expected none with hierarchicalSoftmax/],
  ] as const)('%j', async (options, message) => {
    await expect(trained(options as WordVectorsOptions)).rejects.toThrow(message)
  })

  it('to go on with other options, another text, or nothing', async () => {
    await expect(trained({ folder: own(), resume: true, window: 4 })).rejects.toThrow(
      /last\.safetensors\[window\]: expected 5, as it was begun with, got 4/,
    )
    await writeFile(join(folder, 'other.txt'), sentences(500))
    const other = await corpus(join(folder, 'other.txt'))
    const resumed = wordVectors(other, await countWords(other), { ...small, folder: own(), resume: true })
    await expect(resumed).rejects.toThrow(/words\.counts: expected the words of this text, got those of another/)
    await expect(trained({ folder: join(folder, 'none'), resume: true })).rejects.toThrow(/none\/last\.safetensors/)
  })

  it('a text of one word', async () => {
    await writeFile(join(folder, 'one.txt'), 'word '.repeat(50))
    const one = await corpus(join(folder, 'one.txt'))
    await expect(wordVectors(one, await countWords(one), small)).rejects.toThrow(/expected two words or more, got 1/)
  })
})

describe('memory', () => {
  /** Of a process that trains vectors of so many numbers, of words that a text has twice each. */
  const peak = async (dimension: number, begins: 'anew' | 'resume'): Promise<number> => {
    const script = fileURLToPath(new URL('children/word-memory.mjs', import.meta.url))
    const own = join(folder, `memory-${dimension}`)
    const { stdout } = await promisify(execFile)(process.execPath, [
      script,
      join(folder, 'many.txt'),
      own,
      `${dimension}`,
      begins,
    ])
    return Number(stdout)
  }

  it(
    'of a training, its saving, its vectors and its resuming is that of both tables',
    { timeout: 180_000 },
    async () => {
      const words = 20_000
      const lines = Array.from({ length: 4000 }, (_, i) =>
        Array.from({ length: 10 }, (_, k) => `w${(10 * i + k) % words}`),
      )
      await writeFile(join(folder, 'many.txt'), lines.map((line) => line.join(' ')).join('\n'))
      const [small, large] = [100, 2100]
      const tables = (dimension: number) => (2 * 4 * words * dimension) / 2 ** 20
      for (const begins of ['anew', 'resume'] as const) {
        const grown = (await peak(large, begins)) - (await peak(small, begins))
        // 1.01 where nothing else runs; what a collector has not collected yet is some 40 MB. Another copy of one table would be 1.5.
        expect(grown, begins).toBeLessThan(1.25 * (tables(large) - tables(small)))
      }
    },
  )
})
