// Parallel text: two files of lines, each line of one the translation of that of the other. Lines are taken as they stand; pairs with an empty
// line are left out and told, and files of different numbers of lines refused.
import { basename } from 'node:path'
import { expectKind, expectOptions, is, OstrichError, type Schema } from '../../base/index.js'
import { permutation } from '../batches.js'
import { DataError } from '../errors.js'
import { readText } from './text.js'

/** Lines and their translations, line i of `target` that of line i of `source`. */
export interface LinePairs {
  readonly source: readonly string[]
  readonly target: readonly string[]
}

/** The paths of two files of lines, in UTF-8, compressed by gzip or not: what is translated, and its translation. */
export type PairedFiles = readonly [source: string, target: string]

/** A training text and what is held back of it, or stands in files of its own. */
export interface ParallelText {
  readonly train: LinePairs
  readonly validation: LinePairs
  readonly test?: LinePairs
  /** What a person should know: pairs that were left out. */
  readonly notes: readonly string[]
}

/** Options of `parallelText`. */
export interface ParallelTextOptions {
  /** Two files to measure by while a network is trained. Default: a part of the training text that is held back. */
  readonly validation?: PairedFiles
  /** Two files to measure by once, at the end. Default: none. */
  readonly test?: PairedFiles
  /** Share of the source lines that is held back for validation, where that has no files of its own. Default: 0.05. */
  readonly heldBack?: number
  /** Draws which are held back. Default: 1, whatever the seed of a run is. */
  readonly seed?: number
}

const files = is.kind(
  'two paths',
  (value) => Array.isArray(value) && value.length === 2 && value.every(is.text.accepts),
)
const schema: Schema<ParallelTextOptions> = {
  validation: files,
  test: files,
  heldBack: is.number,
  seed: is.whole(0),
}

/**
 * Reads parallel text: any two files of as many lines. What is held back is drawn by seed; all translations of one line are on the same side.
 * @throws DataError for files that are absent, not UTF-8, of different numbers of lines or without any pair; OstrichError `ERR_OPTION`
 * @example const { train, validation, notes } = await parallelText(['train.de', 'train.en.gz'], { heldBack: 0.02 })
 */
export async function parallelText(train: PairedFiles, options: ParallelTextOptions = {}): Promise<ParallelText> {
  expectKind('parallelText', 'train', files, train)
  expectOptions('parallelText', options, schema)
  const { validation, test, heldBack, seed = 1 } = options
  if (validation !== undefined && heldBack !== undefined) {
    throw new OstrichError('ERR_OPTION', 'parallelText: expected validation or heldBack, got both')
  }
  const read = async (paths: PairedFiles | undefined) => (paths === undefined ? undefined : readPairs(paths))
  const [own, held, last] = await Promise.all([readPairs(train), read(validation), read(test)])
  const notes = [own, held, last].flatMap((one) => one?.note ?? [])
  const parts =
    held === undefined ? parted(own.pairs, heldBack ?? 0.05, seed) : { train: own.pairs, validation: held.pairs }
  return { ...parts, ...(last && { test: last.pairs }), notes }
}

/** Two files, and what a person should know of them. */
export interface ReadPairs {
  readonly pairs: LinePairs
  readonly note: string | undefined
}

/** The pairs of two files without those that have an empty line. @throws DataError */
export async function readPairs(paths: PairedFiles): Promise<ReadPairs> {
  const [source, target] = await Promise.all([linesOf(paths[0]), linesOf(paths[1])])
  if (source.length !== target.length) {
    const expected = `expected as many lines as ${paths[0]} has, ${source.length}`
    throw new DataError(`${paths[1]}: ${expected}, got ${target.length}`)
  }
  const isFull = (i: number): boolean => source[i]!.trim() !== '' && target[i]!.trim() !== ''
  const empty = [...source.keys()].filter((i) => !isFull(i))
  if (empty.length === source.length) {
    throw new DataError(
      `${paths[0]}: expected lines with a translation, got ${source.length === 0 ? 'none' : 'empty ones'}`,
    )
  }
  if (empty.length === 0) return { pairs: { source, target }, note: undefined }
  const places = [...source.keys()].filter(isFull)
  const names = paths.map((path) => basename(path)).join(', ')
  const which = empty.slice(0, 3).map((i) => i + 1)
  const more = empty.length > which.length ? ', ...' : ''
  const note = `${names}: ${empty.length} pairs have an empty line, and are left out (lines ${which.join(', ')}${more})`
  return { pairs: pick({ source, target }, places), note }
}

/** The lines of a file, without their ends. */
async function linesOf(path: string): Promise<readonly string[]> {
  const lines = (await readText(path)).split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
}

function pick({ source, target }: LinePairs, places: readonly number[]): LinePairs {
  return { source: places.map((i) => source[i]!), target: places.map((i) => target[i]!) }
}

/** Holds back a share of the different source lines, with all their translations, so that none is measured that was trained on. */
function parted(
  pairs: LinePairs,
  share: number,
  seed: number,
): { readonly train: LinePairs; readonly validation: LinePairs } {
  const numbers = new Map<string, number>()
  for (const line of pairs.source) if (!numbers.has(line)) numbers.set(line, numbers.size)
  const size = Math.round(numbers.size * share)
  if (!(size > 0 && size < numbers.size)) {
    const expected = `expected a share that leaves some of ${numbers.size} lines on either side`
    throw new OstrichError('ERR_OPTION', `parallelText[heldBack]: ${expected}, got ${share}`)
  }
  const held = new Set(permutation(numbers.size, seed, 0).subarray(0, size))
  const places = [...pairs.source.keys()]
  const isHeld = (i: number): boolean => held.has(numbers.get(pairs.source[i]!)!)
  return {
    train: pick(
      pairs,
      places.filter((i) => !isHeld(i)),
    ),
    validation: pick(pairs, places.filter(isHeld)),
  }
}
