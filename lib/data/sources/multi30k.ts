// Multi30k (Elliott, Frank, Sima'an & Specia 2016): 31,014 descriptions of photographs of Flickr30k in English, and their translations into German by
// professionals; the test part is that of 2016. Taken from the user's copy.
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expectOptions, is } from '../../base/index.js'
import { DataError } from '../errors.js'
import { fetchOptions } from '../fetch-options.js'
import { dataFolder } from '../folder.js'
import type { FetchOptions } from '../npm-package.js'
import { isThere } from '../present.js'
import { type LinePairs, type ParallelText, readPairs } from '../text/parallel-text.js'

/** Pairs of each part. */
const PARTS = { train: 29_000, val: 1_014, test_2016_flickr: 1_000 } as const
type Part = keyof typeof PARTS
const LANGUAGES = ['de', 'en'] as const

/** A language of Multi30k. */
export type Multi30kLanguage = (typeof LANGUAGES)[number]

/** What to say where there is nothing to read. */
const WANTED = 'train, val and test_2016_flickr, each as .de and .en (or .de.gz and .en.gz)'

/** The three parts. */
export interface Multi30k extends ParallelText {
  /** The 1,000 pairs of test_2016_flickr. */
  readonly test: LinePairs
}

/** Options of `multi30k`. */
export interface Multi30kOptions {
  /** The language that is translated, into the other. Default: `de`. */
  readonly source?: Multi30kLanguage
  /** The folder. Default `$OSTRICH_DATA/multi30k`, else `multi30k` in the user's cache. */
  readonly dir?: string
}

/**
 * Multi30k's German and English descriptions of photographs: 29,000 pairs to train on, 1,014 for validation, 1,000 to test by.
 * @throws DataError where a file is absent (the message says how to get it), or of another number of lines
 * @example const { train, validation, test } = await multi30k({ source: 'de' })
 */
export async function multi30k(options: Multi30kOptions = {}): Promise<Multi30k> {
  expectOptions<Multi30kOptions>('multi30k', options, { source: is.oneOf(...LANGUAGES), dir: is.text })
  const { source = 'de', dir = dataFolder('multi30k') } = options
  const target = source === 'de' ? 'en' : 'de'
  const read = async (part: Part): Promise<LinePairs> => {
    const [from, to] = [await found(dir, part, source), await found(dir, part, target)]
    const { pairs } = await readPairs([from, to])
    if (pairs.source.length === PARTS[part]) return pairs
    throw new DataError(`${from}: expected ${PARTS[part]} lines with a translation, got ${pairs.source.length}`)
  }
  // One after the other, so that of several absent files the first is named.
  return { train: await read('train'), validation: await read('val'), test: await read('test_2016_flickr'), notes: [] }
}

async function found(dir: string, part: Part, language: Multi30kLanguage): Promise<string> {
  const path = await pathOf(dir, part, language)
  if (path !== undefined) return path
  const how = 'Run: ostrich data get multi30k --from <folder>'
  throw new DataError(`multi30k: expected the file ${join(dir, `${part}.${language}`)} (or .gz), got none. ${how}`)
}

async function pathOf(dir: string, part: Part, language: Multi30kLanguage): Promise<string | undefined> {
  for (const name of [`${part}.${language}`, `${part}.${language}.gz`]) {
    const path = join(dir, name)
    if (await isThere(path)) return path
  }
  return undefined
}

/** The paths of all files; undefined for one that is not there. */
function pathsIn(dir: string): Promise<(string | undefined)[]> {
  const parts = Object.keys(PARTS) as Part[]
  return Promise.all(parts.flatMap((part) => LANGUAGES.map((language) => pathOf(dir, part, language))))
}

/** Options of `getMulti30k`. */
export interface GetMulti30kOptions extends FetchOptions {
  /** A folder with the six files; needed where the cache does not hold them. */
  readonly from?: string
  /** Default `$OSTRICH_DATA/multi30k`, else `multi30k` in the user's cache. */
  readonly dir?: string
}

/**
 * Puts Multi30k into the cache from a copy that the user has, after checking it. Without `from`, a complete cache is left as it is.
 * @returns the folder that holds the files
 * @throws DataError where there is nothing to read, or it is another text
 * @example await getMulti30k({ from: 'multi30k-dataset/data/task1/raw' })
 */
export async function getMulti30k(options: GetMulti30kOptions = {}): Promise<string> {
  expectOptions<GetMulti30kOptions>('getMulti30k', options, { ...fetchOptions, from: is.text })
  const { from, dir = dataFolder('multi30k'), onProgress = () => undefined } = options
  onProgress({ stage: 'check', what: dir })
  const paths = await pathsIn(from ?? dir)
  if (from === undefined) {
    if (paths.includes(undefined)) {
      throw new DataError(
        `multi30k: expected --from <folder> with ${WANTED}, as ${dir} does not hold them all, got none`,
      )
    }
    onProgress({ stage: 'present', what: dir })
    return dir
  }
  if (paths.includes(undefined)) throw new DataError(`multi30k: expected ${WANTED} in ${from}, got not all of them`)
  await multi30k({ dir: from })
  const { placeFile } = await import('../cache.js')
  for (const path of paths as string[]) {
    const name = basename(path)
    onProgress({ stage: 'write', what: name })
    await placeFile(join(dir, name), await readFile(path))
  }
  onProgress({ stage: 'done', what: dir })
  return dir
}
