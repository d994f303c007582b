// All sounds of a folder, in the order of their names. A damaged one is left out, named and counted; files that are no sounds by their names are told.
import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { expectKind, expectOptions, is } from '../../base/index.js'
import { DataError, reasonOf } from '../errors.js'
import { inParallel } from '../parallel.js'
import { expectDecoders } from './flac.js'
import { readSound, type ReadSoundOptions, soundOptions } from './read-sound.js'
import type { Sound } from './sound.js'

/** Names that are taken for sounds; what they hold is seen when they are read. */
const SOUND = /\.(?:wave?|sph|nist|flac)$/i
/** Files that are read at once. */
const AT_ONCE = 4

/** A sound by its path from the folder. */
export interface NamedSound {
  readonly name: string
  readonly sound: Sound
}

/** The sounds of a folder. */
export interface FolderSounds {
  readonly sounds: readonly NamedSound[]
  /** Files that could not be read, and why. */
  readonly bad: readonly { readonly name: string; readonly reason: string }[]
  /** Files that are no sounds by their names; hidden ones are not counted. */
  readonly passedOver: readonly string[]
}

/** Options of `readSounds`. */
export interface ReadSoundsOptions extends Omit<ReadSoundOptions, 'name'> {
  /** What becomes of a file that cannot be read: it is left out and told, or the reading fails. Default: `skip`. */
  readonly onBad?: 'skip' | 'fail'
  /** Called after each file. */
  readonly onProgress?: (done: number, total: number) => void
  /** Stops the reading and rejects. */
  readonly signal?: AbortSignal
}

/**
 * Reads all sounds of a folder and the folders in it: files that are called .wav, .wave, .sph, .nist or .flac, or with `raw` also .raw and .pcm.
 * @throws DataError where the folder cannot be read or has no sound that can be, or has FLAC files and no decoder; with `onBad: 'fail'` for the first bad file; OstrichError `ERR_OPTION`
 * @example
 * const { sounds, bad } = await readSounds('recordings', { rate: 16_000 })
 * for (const { name, reason } of bad) console.warn(`${name} is left out: ${reason}`)
 */
export async function readSounds(folder: string, options: ReadSoundsOptions = {}): Promise<FolderSounds> {
  expectKind('readSounds', 'folder', is.text, folder)
  const { name: _, ...known } = soundOptions
  expectOptions<ReadSoundsOptions>('readSounds', options, {
    ...known,
    onBad: is.oneOf('skip', 'fail'),
    onProgress: is.callable,
    signal: is.signal,
  })
  const { onBad = 'skip', onProgress, signal, ...each } = options
  const files = await filesIn(folder)
  const isSound = (file: string): boolean =>
    SOUND.test(file) || (each.raw !== undefined && /\.(?:raw|pcm)$/i.test(file))
  const names = files.filter(isSound)
  await expectDecoders(names)
  const found = new Array<Sound | string>(names.length)
  let done = 0
  await inParallel(names.length, AT_ONCE, async (i) => {
    signal?.throwIfAborted()
    const path = join(folder, names[i]!)
    try {
      found[i] = await readSound(path, each)
    } catch (error) {
      if (!(error instanceof DataError) || onBad === 'fail') throw error
      found[i] = error.message.startsWith(`${path}: `) ? error.message.slice(path.length + 2) : error.message
    }
    onProgress?.(++done, names.length)
  })
  const sounds = names.flatMap((name, i) => (typeof found[i] === 'string' ? [] : { name, sound: found[i]! }))
  const bad = names.flatMap((name, i) => (typeof found[i] === 'string' ? { name, reason: found[i] } : []))
  if (sounds.length === 0) {
    const first = bad[0] === undefined ? 'none' : `${bad.length} bad ones: ${bad[0].name}: ${bad[0].reason}`
    throw new DataError(`${folder}: expected sounds (.wav, .sph, .flac), got ${first}`)
  }
  return { sounds, bad, passedOver: files.filter((file) => !isSound(file)) }
}

/** Paths of the files of a folder from it, sorted, with slashes; hidden ones, and those of hidden folders, left out. */
async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    const found = await readdir(folder, { recursive: true, withFileTypes: true })
    const paths = found
      .filter((one) => !one.isDirectory())
      .map((one) => relative(folder, join(one.parentPath, one.name)).split(sep).join('/'))
    return paths.filter((path) => !/(?:^|\/)\./.test(path)).sort()
  } catch (error) {
    throw new DataError(`${folder}: expected a folder that can be read, got ${reasonOf(error)}`, { cause: error })
  }
}
