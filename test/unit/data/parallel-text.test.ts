// Parallel text: two files of lines, what is held back of them, Multi30k, and lines as numbers in batches.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  batches,
  getMulti30k,
  multi30k,
  parallelText,
  type PairedFiles,
  Subwords,
  translationSet,
  translationSets,
  type TranslationSet,
  Words,
} from '../../../lib/data/index.js'
import { paddingOf, shapesOf } from '../../../lib/data/buckets.js'
import { sharedData } from '../../support/shared-data.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-parallel-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** Writes two files of lines, the second compressed. */
async function files(source: string | Uint8Array, target: string, name = 'train'): Promise<PairedFiles> {
  const paths = [join(folder, `${name}.de`), join(folder, `${name}.en.gz`)] as const
  await writeFile(paths[0], source)
  await writeFile(paths[1], gzipSync(target))
  return paths
}
const numbered = (count: number, mark: string): string[] => Array.from({ length: count }, (_, i) => `${mark} ${i}`)

describe('parallel text', () => {
  it('is read line by line, as it stands', async () => {
    const held = await files('g\n', 'h\n', 'held')
    const test = await files('e', 'f', 'last')
    const {
      train,
      validation,
      test: last,
      notes,
    } = await parallelText(await files('Ein Mann.\r\n  zwei \u2028 drei\r\n', 'A man.\n two\tthree  \n'), {
      validation: held,
      test,
    })
    expect(train).toEqual({ source: ['Ein Mann.', '  zwei \u2028 drei'], target: ['A man.', ' two\tthree  '] })
    expect([validation, last]).toEqual([
      { source: ['g'], target: ['h'] },
      { source: ['e'], target: ['f'] },
    ])
    expect(notes).toEqual([])
  })

  it('holds back a share by seed, with all translations of a line on one side', async () => {
    // Every line is there twice, with another translation.
    const source = [...numbered(100, 'ein'), ...numbered(100, 'ein')]
    const target = numbered(200, 'a')
    const paths = await files(source.join('\n'), target.join('\n'))
    const one = await parallelText(paths, { heldBack: 0.2 })
    expect([one.train.source.length, one.validation.source.length]).toEqual([160, 40])
    const known = new Set(one.train.source)
    expect(one.validation.source.filter((line) => known.has(line))).toEqual([])
    for (const { source: lines, target: translations } of [one.train, one.validation]) {
      for (const [i, line] of lines.entries()) expect(source[Number(translations[i]!.slice(2))]).toBe(line)
    }
    expect(await parallelText(paths, { heldBack: 0.2 })).toEqual(one)
    expect((await parallelText(paths, { heldBack: 0.2, seed: 2 })).validation).not.toEqual(one.validation)
    expect((await parallelText(paths)).validation.source).toHaveLength(10)
  })

  it('leaves pairs with an empty line out, and says which', async () => {
    const paths = await files('a\n\nc\nd\n \nf\ng\n\n', 'A\nB\n\t\nD\n\nF\nG\nH\n')
    const { train, validation, notes } = await parallelText(paths, { heldBack: 0.25 })
    const all = [...train.source, ...validation.source].sort()
    expect(all).toEqual(['a', 'd', 'f', 'g'])
    expect([...train.target, ...validation.target].sort()).toEqual(['A', 'D', 'F', 'G'])
    expect(notes).toEqual(['train.de, train.en.gz: 4 pairs have an empty line, and are left out (lines 2, 3, 5, ...)'])
  })

  it('refuses files that do not belong together, or are none', async () => {
    const paths = await files('a\nb\nc\n', 'A\nB\n')
    await expect(parallelText(paths)).rejects.toThrow(
      `${paths[1]}: expected as many lines as ${paths[0]} has, 3, got 2`,
    )
    const none = join(folder, 'none.de')
    await expect(parallelText([none, paths[1]])).rejects.toThrow(`${none}: expected a text in UTF-8, got ENOENT`)
    const latin = await files(Uint8Array.of(0x66, 0xfc, 0x72, 0x0a), 'for\n')
    await expect(parallelText(latin)).rejects.toThrow(`${latin[0]}: expected a text in UTF-8, got other bytes`)
    await expect(parallelText(await files('', ''))).rejects.toThrow(/expected lines with a translation, got none/)
    await expect(parallelText(await files('\n\n', 'A\nB\n'))).rejects.toThrow(/with a translation, got empty ones/)
    const two = await files('a\nb\n', 'A\nB\n')
    await expect(parallelText([two[0]] as never)).rejects.toThrow(/parallelText\[train\]: expected two paths, got/)
    await expect(parallelText(two, { heldBack: 0.1 })).rejects.toThrow(
      /parallelText\[heldBack\]: expected a share that leaves some of 2 lines on either side, got 0.1/,
    )
    await expect(parallelText(two, { heldBack: 0.5, validation: two })).rejects.toThrow(
      /validation or heldBack, got both/,
    )
    await expect(parallelText(two, { held: 0.5 } as never)).rejects.toThrow(/got held \(did you mean heldBack\?\)/)
  })
})

describe('lines and their translations as numbers', () => {
  const pairs = { source: ['ein Mann', 'Rad'], target: ['a man on a bike', 'bike'] }
  const source = Words.of(pairs.source, { least: 1 })
  const target = Words.of(pairs.target, { least: 1 })
  const first = async (set: TranslationSet) => (await batches(set, { batch: 2 }).next()).value!

  it('have an end, and the input of the translation begins one token earlier', async () => {
    const set = translationSet(pairs, { source, target, multiple: 2 })
    const batch = await first(set)
    expect(batch.extents).toEqual({ sourceLengths: 4, targetLengths: 6 })
    const rows = (name: 'source' | 'input' | 'target') =>
      [0, 1].map((row) => [...batch.feeds[name]].filter((_, at) => at % 2 === row))
    const [ein, mann, rad] = ['ein Mann Rad'].flatMap((line) => [...source.encode(line)])
    expect(rows('source')).toEqual([
      [rad, 2, 0, 0],
      [ein, mann, 2, 0],
    ])
    const [a, man, on, , bike] = target.encode(pairs.target[0]!)
    expect(rows('input')).toEqual([
      [1, bike, 0, 0, 0, 0],
      [1, a, man, on, a, bike],
    ])
    expect(rows('target')).toEqual([
      [bike, 2, 0, 0, 0, 0],
      [a, man, on, a, bike, 2],
    ])
    expect([...batch.feeds.sourceLengths, ...batch.feeds.targetLengths]).toEqual([2, 3, 2, 6])
    const reversed = await first(translationSet(pairs, { source, target, reverse: true }))
    expect([...reversed.feeds.source].filter((_, at) => at % 2 === 1)).toEqual([mann, ein, 2])
  })

  it('are left out or refused where they are too long', () => {
    expect(() => translationSet(pairs, { source, target, longest: 5 })).toThrow(
      'example 0: expected at most 5 steps, got 6',
    )
    const set = translationSet(pairs, { source, target, longest: 5, longer: 'leave out' })
    expect([set.length, set.buckets!.leftOut]).toEqual([1, 1])
    expect(() => translationSet(pairs, { source } as never)).toThrow(
      /translationSet\[target\]: expected a tokenizer, got undefined/,
    )
  })
})

describe('Multi30k', () => {
  const counts = { train: 29_000, val: 1_014, test_2016_flickr: 1_000 }

  it('says how to get it where it is not there, and takes no other text', async () => {
    await expect(multi30k({ dir: folder })).rejects.toThrow(
      /multi30k: expected the file .*train\.de \(or \.gz\), got none\. Run: ostrich data get multi30k --from/,
    )
    await expect(getMulti30k({ dir: folder })).rejects.toThrow(/multi30k: expected --from <folder> with train, val and/)
    const from = join(folder, 'copy')
    await mkdir(from)
    await expect(getMulti30k({ dir: folder, from })).rejects.toThrow(
      /expected train, val and .* in .*copy, got not all/,
    )
    for (const [part, count] of Object.entries(counts)) {
      for (const language of ['de', 'en']) {
        await writeFile(join(from, `${part}.${language}`), `${numbered(count, language).join('\n')}\n`)
      }
    }
    const dir = join(folder, 'cache')
    expect(await getMulti30k({ dir, from })).toBe(dir)
    expect((await readdir(dir)).sort()).toHaveLength(6)
    expect(await getMulti30k({ dir })).toBe(dir)
    const { train, test } = await multi30k({ dir, source: 'en' })
    expect([train.source[28_999], train.target[28_999], test.source.length]).toEqual(['en 28999', 'de 28999', 1_000])
    for (const language of ['de', 'en']) await writeFile(join(from, `val.${language}`), 'one\n')
    await expect(getMulti30k({ dir, from })).rejects.toThrow(/val\.de: expected 1014 lines with a translation, got 1/)
    await expect(multi30k({ source: 'fr' } as never)).rejects.toThrow(/multi30k\[source\]: expected de, en, got "fr"/)
  })

  const found = sharedData('multi30k', 'train.de.gz')
  it.skipIf(found === undefined)(
    'is what its facts say, and comes in batches with little padding',
    { timeout: 60_000 },
    async () => {
      const text = await multi30k({ dir: dirname(found!) })
      const parts = [text.train, text.validation, text.test]
      expect(parts.map(({ source, target }) => [source.length, target.length])).toEqual([
        [29_000, 29_000],
        [1_014, 1_014],
        [1_000, 1_000],
      ])
      const wordsOf = (line: string) => line.split(' ').length
      expect([wordsOf(text.train.source[0]!), wordsOf(text.train.target[0]!)]).toEqual([12, 9])
      const own = Subwords.of([...text.train.source, ...text.train.target])
      const { train, test } = translationSets(text, { source: own, target: own })
      expect([train.tokenizers.source === own, train.pairs === text.train]).toEqual([true, true])
      expect([train.length, test!.length]).toEqual([29_000, 1_000])
      for (const batch of [64, 128]) {
        expect(paddingOf(train.buckets!, batch)).toBeLessThan(0.1)
        expect(shapesOf(train, train.buckets!, batch).length).toBeLessThan(60)
      }
    },
  )
})
