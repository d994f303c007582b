// Tokenizers in files, in Hugging Face's form: their libraries read what is written here, and what is theirs is read where it makes the same numbers.
import { readFile } from 'node:fs/promises'
import { DataError, reasonOf } from '../errors.js'
import { Subwords } from './subwords.js'
import type { Tokenizer } from './tokenizer.js'
import { Words } from './words.js'

/**
 * The tokenizer that the contents of a `tokenizer.json` describe: `Subwords` of a model BPE, `Words` of WordLevel.
 * @param where names the contents in messages
 * @throws DataError for others
 * @example tokenizerOf(JSON.parse(JSON.stringify(subwords))) // reads as `subwords` does
 */
export function tokenizerOf(json: unknown, where = 'tokenizer'): Tokenizer {
  const model = typeof json === 'object' && json !== null && 'model' in json ? json.model : undefined
  const type = typeof model === 'object' && model !== null && 'type' in model ? model.type : undefined
  return type === 'WordLevel' ? new Words(json, where) : new Subwords(json, where)
}

/**
 * Reads a tokenizer from a file in the form of `tokenizer.json`.
 * @throws DataError for a file that is absent, or of another kind of tokenizer
 * @example const subwords = await readTokenizer('tokenizer.json')
 */
export async function readTokenizer(path: string): Promise<Tokenizer> {
  let json: unknown
  try {
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new DataError(`${path}: expected a tokenizer in JSON, got ${reasonOf(error)}`, { cause: error })
  }
  return tokenizerOf(json, path)
}

/**
 * Writes a tokenizer to a file in the form of `tokenizer.json`, whole or not at all.
 * @throws DataError where it cannot be written
 * @example await writeTokenizer('tokenizer.json', Subwords.of(lines))
 */
export async function writeTokenizer(path: string, tokenizer: Tokenizer): Promise<void> {
  const { placeFile } = await import('../cache.js')
  const text = `${JSON.stringify(tokenizer, undefined, 1)}\n`
  await placeFile(path, new TextEncoder().encode(text)).catch((error: unknown) => {
    throw new DataError(`${path}: expected to write it, got ${reasonOf(error)}`, { cause: error })
  })
}
