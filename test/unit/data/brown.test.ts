// The Brown corpus: from the archive of NLTK into the cache, and from there into numbers. The corpus itself is a test where it is at hand.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { brown, getBrown } from '../../../lib/data/index.js'
import { brownHeldBack, brownSentences, brownSizes, brownTags } from '../../../lib/data/sources/brown.js'
import { taggedSet, usualTags, WordCoder } from '../../../lib/data/text/tagged.js'
import { sharedData } from '../../support/shared-data.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-brown-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const sentence = (text: string) => {
  const tokens = text.split(' ').map((token) => token.split('/') as [string, string])
  return { words: tokens.map(([word]) => word), tags: tokens.map(([, tag]) => tag) }
}

describe('words as numbers', () => {
  it('are the place in the vocabulary, that of the endings, and the shape; what is rare is unknown', () => {
    const words = ['The', 'the', 'the', 'walking', 'talking', 'ox', 'ox', 'once', 'Talking']
    const coder = new WordCoder(words, { words: 4, endings: 10, shortEndings: 10 })
    // the: 3 times, then ox and talking, 2 times each, of which one finds room.
    expect([...coder.encode(['the', 'The', 'ox', 'once'])]).toEqual([
      ...[2, 3, 2, 1],
      ...[2, 3, 2, 2],
      ...[3, 4, 4, 1],
      ...[1, 1, 1, 1],
    ])
    expect([...coder.encode(['balking'])].slice(1, 3)).toEqual([2, 3])
    const shapes = ['low', 'Name', 'NATO', '1961', 'B-52', 'well-known', 'Anglo-Saxon', '-']
    expect([...coder.encode(shapes)].filter((_, i) => i % 4 === 3)).toEqual([1, 2, 3, 4, 11, 7, 9, 1])
  })

  it('are a data set of sequences, with the tag that each word has most often', () => {
    const train = [sentence('the/at ox/nn runs/vbz'), sentence('runs/nns end/vb'), sentence('he/pps runs/vbz home/nn')]
    const usual = usualTags(train)
    expect(['the', 'runs', 'cow'].map(usual)).toEqual(['at', 'vbz', 'nn'])
    const classes = ['at', 'nn', 'nns', 'pps', 'vb', 'vbz']
    const coding = { words: new WordCoder(['the', 'the'], { words: 4, endings: 4, shortEndings: 4 }), usual, classes }
    const set = taggedSet(train, coding)
    const out = {
      x: new Int32Array(3 * 2 * 4),
      target: new Int32Array(6),
      usual: new Int32Array(6),
      lengths: new Int32Array(2),
    }
    void set.gather([1, 0], out)
    expect([...out.target]).toEqual([2, 0, 4, 1, 0, 5])
    expect([...out.usual]).toEqual([5, 0, 4, 1, 0, 5])
    expect([...out.lengths]).toEqual([2, 3])
    expect([...out.x.subarray(0, 8)]).toEqual([1, 1, 1, 1, 2, 2, 2, 1])
    expect(() => taggedSet([sentence('a/zz')], coding)).toThrow('expected one of 6 tags, got zz')
  })
})

describe('the Brown corpus', () => {
  it('says how to get it where it is not there, and refuses another text', async () => {
    await expect(brown({ dir: folder })).rejects.toThrow(
      /brown: expected the file .*Run: ostrich data get brown --from/,
    )
    await expect(getBrown({ dir: folder })).rejects.toThrow(/expected --from/)
    await expect(getBrown({ dir: folder, from: join(folder, 'none.zip') })).rejects.toThrow(
      /expected brown.zip.*ENOENT/,
    )
    await expect(getBrown({ dir: folder, from: folder })).rejects.toThrow(/expected the files ca01 to cr09/)
    await writeFile(join(folder, 'ca01'), '\n\tThe/at end/nn ./.\n')
    await expect(getBrown({ dir: folder, from: folder })).rejects.toThrow(
      /expected 57340 sentences of 1161192 words.*got 1 of 3 words/,
    )
    await expect(brown({ seeds: 1 } as never)).rejects.toThrow(
      /brown: expected the options dir, seed, got seeds \(did you mean seed\?\)/,
    )
  })

  const archive = sharedData('text', 'brown.zip')
  it.skipIf(archive === undefined)('is what its facts say', { timeout: 60_000 }, async () => {
    const dir = join(folder, 'whole')
    expect(await getBrown({ dir, from: archive! })).toBe(dir)
    expect(await getBrown({ dir })).toBe(dir)
    const { train, validation, test, classes } = await brown({ dir })
    expect([train.length, validation.length, test.length]).toEqual([brownSentences, ...[2867, 5734]])
    expect(brownHeldBack).toEqual({ test: 5734, validation: 2867 })
    expect(classes).toHaveLength(brownTags)
    expect(classes.some((tag) => /^fw-|-(hl|tl|nc)$/.test(tag))).toBe(false)
    const parts = [train, validation, test]
    const words = parts.map(({ buckets }) => buckets!.lengths.reduce((sum, length) => sum + length, 0))
    expect(words.reduce((sum, count) => sum + count)).toBe(1_161_192)
    expect(Math.max(...parts.map(({ buckets }) => Math.max(...buckets!.lengths)))).toBe(180)
    expect(Math.min(...parts.map(({ buckets }) => Math.min(...buckets!.lengths)))).toBe(1)
    // The most frequent tag of each word is right for some 91 % of what is held back, and the vocabularies are full.
    const rows = test.length
    const all = {
      x: new Int32Array(rows * 184 * 4),
      target: new Int32Array(rows * 184),
      usual: new Int32Array(rows * 184),
      lengths: new Int32Array(rows),
    }
    await test.gather([...all.lengths.keys()], all)
    let right = 0
    for (let row = 0; row < rows; row++) {
      for (let t = 0; t < all.lengths[row]!; t++)
        right += all.target[t * rows + row] === all.usual[t * rows + row] ? 1 : 0
    }
    expect(right / words[2]!).toBeGreaterThan(0.91)
    expect(right / words[2]!).toBeLessThan(0.92)
    const most = [0, 1, 2].map((k) => all.x.reduce((most, value, i) => (i % 4 === k ? Math.max(most, value) : most), 0))
    expect(most[0]).toBeGreaterThan(brownSizes.words - 500)
    for (const [k, size] of [brownSizes.words, brownSizes.endings, brownSizes.shortEndings].entries())
      expect(most[k]).toBeLessThan(size)
  })
})
