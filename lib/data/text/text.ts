// A text as numbers, and texts from files: any plain text in UTF-8, compressed by gzip or not, by words or by characters.
import { readFile } from 'node:fs/promises'
import { expectOptions, is, type Schema } from '../../base/index.js'
import { wholeNumber } from '../batches.js'
import { DataError, reasonOf } from '../errors.js'
import { type TextUnit, Vocabulary } from './vocabulary.js'

const MOST_BYTES = 2 ** 30

/** A text to train on or to measure by: one long sequence of tokens. */
export interface Text {
  /** Numbers in `vocabulary`. */
  readonly tokens: Int32Array
  readonly vocabulary: Vocabulary
}

/** A training text, and what is held back. All three have one vocabulary. */
export interface TextHalves {
  readonly train: Text
  readonly validation: Text
  readonly test?: Text
}

/** Options of `text`. */
export interface TextOptions {
  /** Default: `character`. */
  readonly unit?: TextUnit
  /** Share at the end that is held back for validation. Default: 0.1. */
  readonly heldBack?: number
  /** Tokens of the vocabulary at most; rarer ones become `<unk>`. Default: all. */
  readonly most?: number
  /** Reads the text with this one. Default: its own. */
  readonly vocabulary?: Vocabulary
}

/** What unit and numbers they may be is looked at where they are used. */
const schema: Schema<TextOptions> = {
  unit: is.anything,
  heldBack: is.anything,
  most: is.anything,
  vocabulary: is.instance('a Vocabulary', Vocabulary),
}

/**
 * A file of plain text, its end held back for validation. The vocabulary is that of the whole file, so that every token
 * of the held-back part has a number.
 * @throws DataError for a file that is absent, empty or not UTF-8; for options out of range
 * @example const { train, validation } = await text('shakespeare.txt', { unit: 'character' })
 */
export async function text(path: string, options: TextOptions = {}): Promise<TextHalves> {
  expectOptions('text', options, schema)
  const { unit = 'character', heldBack = 0.1, most } = options
  if (!(heldBack > 0 && heldBack < 1)) {
    throw new DataError(`text[heldBack]: expected a share between 0 and 1, got ${heldBack}`)
  }
  if (most !== undefined) wholeNumber('text', 'most', most, 2)
  const content = await readText(path)
  if (content === '') throw new DataError(`${path}: expected a text, got an empty file`)
  const vocabulary = options.vocabulary ?? Vocabulary.of(content, unit, most)
  const tokens = vocabulary.encode(content, path)
  const border = Math.floor(tokens.length * (1 - heldBack))
  return {
    train: { tokens: tokens.subarray(0, border), vocabulary },
    validation: { tokens: tokens.subarray(border), vocabulary },
  }
}

/** The text of a file, unpacked where it is compressed. @throws DataError */
export async function readText(path: string): Promise<string> {
  try {
    let bytes: Uint8Array = await readFile(path)
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await inflated(bytes)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    const got = error instanceof TypeError ? 'other bytes' : reasonOf(error)
    throw new DataError(`${path}: expected a text in UTF-8, got ${got}`, { cause: error })
  }
}

async function inflated(bytes: Uint8Array): Promise<Uint8Array> {
  const [{ gunzip }, { promisify }] = await Promise.all([import('node:zlib'), import('node:util')])
  return promisify(gunzip)(bytes, { maxOutputLength: MOST_BYTES })
}
