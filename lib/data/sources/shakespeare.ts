// tinyshakespeare: 1,115,394 characters of Shakespeare's plays (public domain), as char-rnn made them up. Read by characters, the
// last tenth held back for validation.
import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expectOptions, is } from '../../base/index.js'
import { DataError } from '../errors.js'
import { fetchOptions } from '../fetch-options.js'
import { dataFolder } from '../folder.js'
import type { FetchOptions } from '../npm-package.js'
import { isThere } from '../present.js'
import { readText, text, type TextHalves } from '../text/text.js'
import { Vocabulary } from '../text/vocabulary.js'

const FILES = ['tinyshakespeare.txt', 'tinyshakespeare.txt.gz', 'input.txt']
const CHARACTERS = 1_115_394

/** Options of `shakespeare`. */
export interface ShakespeareOptions {
  /** The folder. Default `$OSTRICH_DATA/text`, else `text` in the user's cache. */
  readonly dir?: string
  /** Reads the text with this one, of a network that was trained on another text. Default: its own. */
  readonly vocabulary?: Vocabulary
}

/**
 * tinyshakespeare by characters: 1,003,854 to train on, 111,540 held back, 65 different ones.
 * @throws DataError where it is absent (the message says how to get it) or another text
 * @example const { train, validation } = await shakespeare()
 */
export async function shakespeare(options: ShakespeareOptions = {}): Promise<TextHalves> {
  const known = { dir: is.text, vocabulary: is.instance('a Vocabulary', Vocabulary) }
  expectOptions<ShakespeareOptions>('shakespeare', options, known)
  const { dir = dataFolder('text'), vocabulary } = options
  const path = await fileIn(dir)
  if (path === undefined) {
    const how = 'Run: ostrich data get shakespeare --from <file>'
    throw new DataError(`shakespeare: expected the file ${join(dir, FILES[0]!)} (or .gz), got none. ${how}`)
  }
  const halves = await text(path, { unit: 'character', heldBack: 0.1, ...(vocabulary && { vocabulary }) })
  expectWhole(halves.train.tokens.length + halves.validation.tokens.length, path)
  return halves
}

async function fileIn(dir: string): Promise<string | undefined> {
  for (const name of FILES) {
    const path = join(dir, name)
    if (await isThere(path)) return path
  }
  return undefined
}

function expectWhole(characters: number, path: string): void {
  if (characters === CHARACTERS) return
  throw new DataError(`${path}: expected ${CHARACTERS} characters of tinyshakespeare, got ${characters}`)
}

/** Options of `getShakespeare`. */
export interface GetShakespeareOptions extends FetchOptions {
  /** The file (char-rnn's input.txt), compressed by gzip or not, or its folder; needed where the cache does not hold it. */
  readonly from?: string
  /** Default `$OSTRICH_DATA/text`, else `text` in the user's cache. */
  readonly dir?: string
}

/**
 * Puts tinyshakespeare into the cache from a copy that the user has.
 * @returns the folder that holds it
 * @throws DataError where there is nothing to read, or it is another text
 * @example await getShakespeare({ from: 'input.txt' })
 */
export async function getShakespeare(options: GetShakespeareOptions = {}): Promise<string> {
  expectOptions('getShakespeare', options, { ...fetchOptions, from: is.text })
  const { from, dir = dataFolder('text'), onProgress = () => undefined } = options
  onProgress({ stage: 'check', what: dir })
  if (from === undefined) {
    if ((await fileIn(dir)) === undefined) {
      throw new DataError(`shakespeare: expected --from <file>, as ${dir} does not hold tinyshakespeare.txt, got none`)
    }
    onProgress({ stage: 'present', what: dir })
    return dir
  }
  const isFolder = await stat(from).then(
    (found) => found.isDirectory(),
    () => false,
  )
  const path = isFolder ? await fileIn(from) : from
  if (path === undefined) throw new DataError(`shakespeare: expected ${FILES.join(' or ')} in ${from}, got none`)
  expectWhole(Array.from(await readText(path)).length, path)
  const name = path.endsWith('.gz') ? 'tinyshakespeare.txt.gz' : 'tinyshakespeare.txt'
  const { placeFile } = await import('../cache.js')
  onProgress({ stage: 'write', what: basename(path) })
  await placeFile(join(dir, name), await readFile(path))
  onProgress({ stage: 'done', what: dir })
  return dir
}
