// The Penn Treebank in Mikolov's preparation (Mikolov et al. 2010, "Recurrent neural network based language model"): lower-cased
// words of the Wall Street Journal, numbers as N, all but the 10,000 most frequent words as <unk>, one sentence a line.
// Licensed by the LDC, so it is never fetched: it is taken from the user's copy.
import { mkdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expectOptions, is } from '../../base/index.js'
import { DataError, reasonOf } from '../errors.js'
import { fetchOptions } from '../fetch-options.js'
import { dataFolder } from '../folder.js'
import type { FetchOptions } from '../npm-package.js'
import { isThere } from '../present.js'
import { readText, type Text } from '../text/text.js'
import { Vocabulary } from '../text/vocabulary.js'

/** Tokens of each part, one <eos> a line among them. */
const PARTS = { train: 929_589, valid: 73_760, test: 82_430 } as const
const WORDS = 10_000

/** What to say where there is nothing to read. */
const WANTED = 'ptb.train.txt, ptb.valid.txt and ptb.test.txt (each also as .gz)'

/** The three parts, with one vocabulary of 10,000 words. */
export interface Ptb {
  /** 929,589 tokens. */
  readonly train: Text
  /** 73,760 tokens. */
  readonly validation: Text
  /** 82,430 tokens. */
  readonly test: Text
  readonly vocabulary: Vocabulary
}

/** Options of `ptb`. */
export interface PtbOptions {
  /** The folder. Default `$OSTRICH_DATA/ptb`, else `ptb` in the user's cache. */
  readonly dir?: string
  /** Reads the texts with this one, of a network that was trained on another text. Default: their own. */
  readonly vocabulary?: Vocabulary
}

/**
 * The Penn Treebank's training, validation and test text, by words.
 *
 * @throws DataError where a file is absent (the message says how to get it), or not the one that language models are compared by
 * @example const { train, test } = await ptb()
 */
export async function ptb(options: PtbOptions = {}): Promise<Ptb> {
  expectOptions<PtbOptions>('ptb', options, { dir: is.text, vocabulary: is.instance('a Vocabulary', Vocabulary) })
  const { dir = dataFolder('ptb'), vocabulary: given } = options
  const [train, valid, test] = await Promise.all(
    (Object.keys(PARTS) as (keyof typeof PARTS)[]).map(async (part) => {
      const path = await pathOf(dir, part)
      if (path === undefined) {
        const how = 'Run: ostrich data get ptb --from <folder>'
        throw new DataError(`ptb: expected the file ${join(dir, `ptb.${part}.txt`)} (or .gz), got none. ${how}`)
      }
      return { path, part, content: await readText(path) }
    }),
  )
  const own = Vocabulary.of(train!.content, 'word')
  if (own.size !== WORDS) {
    throw new DataError(`${train!.path}: expected ${WORDS} different tokens, got ${own.size}`)
  }
  const vocabulary = given ?? own
  const encoded = ({ content, path, part }: NonNullable<typeof train>): Text => {
    const tokens = vocabulary.encode(content, path)
    if (tokens.length === PARTS[part]) return { tokens, vocabulary }
    throw new DataError(`${path}: expected ${PARTS[part]} tokens, got ${tokens.length}`)
  }
  return { train: encoded(train!), validation: encoded(valid!), test: encoded(test!), vocabulary }
}

async function pathOf(dir: string, part: string): Promise<string | undefined> {
  for (const name of [`ptb.${part}.txt`, `ptb.${part}.txt.gz`]) {
    const path = join(dir, name)
    if (await isThere(path)) return path
  }
  return undefined
}

/** Options of `getPtb`. */
export interface GetPtbOptions extends FetchOptions {
  /** A folder with the three files; needed where the cache does not hold them. */
  readonly from?: string
  /** Default `$OSTRICH_DATA/ptb`, else `ptb` in the user's cache. */
  readonly dir?: string
}

/**
 * Puts the Penn Treebank into the cache from a copy that the user has, after checking it. Without `from`, a complete cache is
 * left as it is.
 *
 * @returns the folder that holds the files
 * @throws DataError where there is nothing to read, or it is not Mikolov's preparation
 * @example await getPtb({ from: 'simple-examples/data' })
 */
export async function getPtb(options: GetPtbOptions = {}): Promise<string> {
  expectOptions('getPtb', options, { ...fetchOptions, from: is.text })
  const { from, dir = dataFolder('ptb'), onProgress = () => undefined } = options
  onProgress({ stage: 'check', what: dir })
  const parts = Object.keys(PARTS)
  if (from === undefined) {
    const found = await Promise.all(parts.map((part) => pathOf(dir, part)))
    if (found.includes(undefined)) {
      throw new DataError(`ptb: expected --from <folder> with ${WANTED}, as ${dir} does not hold the data, got none`)
    }
    onProgress({ stage: 'present', what: dir })
    return dir
  }
  await ptb({ dir: from }).catch((error: unknown) => {
    if (!(error instanceof DataError) || !/^ptb: expected the file/.test(error.message)) throw error
    throw new DataError(`ptb: expected ${WANTED} in ${from}, got not all of them`, { cause: error })
  })
  const { placeFile } = await import('../cache.js')
  await mkdir(dir, { recursive: true })
  for (const part of parts) {
    const path = (await pathOf(from, part))!
    onProgress({ stage: 'write', what: basename(path) })
    await placeFile(join(dir, basename(path)), await readFile(path)).catch((error: unknown) => {
      throw new DataError(`ptb: expected to write ${join(dir, basename(path))}, got ${reasonOf(error)}`, {
        cause: error,
      })
    })
  }
  onProgress({ stage: 'done', what: dir })
  return dir
}
