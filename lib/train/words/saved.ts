// A training of word vectors in a folder: both tables and where it stands (last.safetensors), its words (words.counts), the text as numbers
// (tokens.i32).
import { join } from 'node:path'
import { expectOptions, is } from '../../base/index.js'
import { readWordCounts, type WordCounts, writeWordCounts } from '../../data/index.js'
import { CheckpointError, openSafetensors, writeSafetensors } from '../../files/index.js'
import type { Knobs } from './options.js'
import type { WordProgram } from './program.js'
import { fillRows, rowsOf } from './rows.js'

/** Where a training stands. */
export interface WordPlace {
  /** Epochs that are done, and the number of the text to go on with. */
  readonly epoch: number
  readonly from: number
  /** Blocks that were trained on. */
  readonly steps: number
  /** Words that were read. */
  readonly words: number
  /** Numbers of a block, and of the text. */
  readonly block: number
  readonly tokens: number
}

/** What is in the folder. */
export interface SavedWords {
  readonly place: WordPlace
  readonly path: string
}

const KEY = 'ostrich.words'
const pathsIn = (folder: string) => ({
  tables: join(folder, 'last.safetensors'),
  counts: join(folder, 'words.counts'),
  tokens: join(folder, 'tokens.i32'),
})
export const tokensIn = (folder: string): string => pathsIn(folder).tokens

/** Writes the words that vectors are trained of. @throws DataError */
export async function saveWords(folder: string, counts: WordCounts): Promise<void> {
  await writeWordCounts(pathsIn(folder).counts, counts)
}

/** Writes the tables and where it stands, whole or not at all. @throws CheckpointError */
export async function savePlace(folder: string, knobs: Knobs, program: WordProgram, place: WordPlace): Promise<void> {
  const tensors = Object.fromEntries(
    ([program.inputs, program.outputs] as const).map((variable) => {
      const data = () => rowsOf(program, variable)
      return [variable.label, { dtype: 'F32', shape: variable.shape, data } as const]
    }),
  )
  await writeSafetensors(
    pathsIn(folder).tables,
    tensors,
    { [KEY]: JSON.stringify({ knobs, place }) },
    { digests: true },
  )
}

/**
 * What a folder says of a training of these words with these knobs.
 * @throws CheckpointError where there is none, or another one, naming what differs
 */
export async function openSaved(folder: string, knobs: Knobs, counts: WordCounts): Promise<SavedWords> {
  const path = pathsIn(folder).tables
  await using file = await openSafetensors(path)
  await file.check()
  const text = file.metadata.get(KEY)
  if (text === undefined) throw new CheckpointError(`${path}: expected a training of word vectors, got another file`)
  const { knobs: saved, place } = parsed(path, text)
  for (const [name, value] of Object.entries(knobs)) {
    const was = saved[name as keyof Knobs]
    if (was === value) continue
    throw new CheckpointError(`${path}[${name}]: expected ${JSON.stringify(was)}, as it was begun with, got ${value}`)
  }
  const words = await readWordCounts(pathsIn(folder).counts)
  const same = words.size === counts.size && words.words.every((word, i) => word === counts.words[i])
  if (!same || words.counts.some((count, i) => count !== counts.counts[i])) {
    throw new CheckpointError(`${pathsIn(folder).counts}: expected the words of this text, got those of another`)
  }
  return { place, path }
}

function parsed(path: string, text: string): { readonly knobs: Knobs; readonly place: WordPlace } {
  const whole = is.needed(is.whole(0))
  try {
    const { knobs, place } = JSON.parse(text) as { readonly knobs: Knobs; readonly place: WordPlace }
    const schema = { epoch: whole, from: whole, steps: whole, words: whole, block: whole, tokens: whole }
    expectOptions<WordPlace>(path, place, schema)
    return { knobs, place }
  } catch (error) {
    throw new CheckpointError(`${path}[${KEY}]: expected where a training stands, got something else`, { cause: error })
  }
}

/** Fills both tables with what was saved. @throws CheckpointError */
export async function loadTables(path: string, program: WordProgram): Promise<void> {
  await using file = await openSafetensors(path)
  for (const variable of [program.inputs, program.outputs]) {
    const [expected, saved] = [`F32 [${variable.shape.join(', ')}]`, file.tensors.get(variable.label)]
    const got = saved === undefined ? 'none' : `${saved.dtype} [${saved.shape.join(', ')}]`
    if (got !== expected) throw new CheckpointError(`${path}[${variable.label}]: expected ${expected}, got ${got}`)
    await fillRows(program, variable, (length) => file.pieces(variable.label, length) as AsyncGenerator<Float32Array>)
  }
}
