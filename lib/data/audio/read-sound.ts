// Sound files of any kind that is read, told by what they hold and not by their names, as one channel at the rate that is asked for. Refuses by name
// the kinds that may well be met and are not read.
import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { expectKind, expectOptions, is, type Schema } from '../../base/index.js'
import { DataError, reasonOf } from '../errors.js'
import { isFlac, readFlac } from './flac.js'
import { aChannel, type Channel, rawOptions, rawPcm, type RawFormat, soundOf } from './pcm.js'
import { resample } from './resample.js'
import { aRate, type Sound } from './sound.js'
import { isSphere, parseSphere } from './sphere.js'
import { isWav, parseWav } from './wav.js'

/** Bytes of the largest file that is read: what Node.js reads at once. */
const MOST_BYTES = 2 ** 31 - 1

/** Options of `readSound`. */
export interface ReadSoundOptions {
  /** Samples a second, Hz, to which it is brought. Default: as it is. */
  readonly rate?: number
  /** A channel, from 0 on, or the mean of all. Default: `mean`. */
  readonly channel?: Channel
  /** What lies in it, where it is samples without a header. Default: its header says that. */
  readonly raw?: RawFormat
  /** What to call it in errors. Default: its path, or `sound` where bytes are given. */
  readonly name?: string
}

export const soundOptions: Schema<ReadSoundOptions> = {
  rate: aRate,
  channel: aChannel,
  raw: is.object,
  name: is.text,
}

/** Files that are not read: what stands at a byte of them, and their kind. */
const OTHERS: readonly (readonly [mark: string, at: number, kind: string])[] = [
  ['OggS', 0, 'Ogg'],
  ...['ID3', '\xff\xfb', '\xff\xfa', '\xff\xf3', '\xff\xf2'].map((mark) => [mark, 0, 'MP3'] as const),
  ['AIFF', 8, 'AIFF'],
  ['AIFC', 8, 'AIFF'],
  ['.snd', 0, 'AU'],
  ['caff', 0, 'CAF'],
  ['ftyp', 4, 'MP4'],
  ['\x1aE\xdf\xa3', 0, 'WebM'],
  ['ajkg', 0, 'Shorten'],
  ['#!AMR', 0, 'AMR'],
  ['\x1f\x8b', 0, 'gzip'],
]

/**
 * Reads a sound: a WAV, NIST SPHERE or FLAC file, or samples without a header (`raw`). FLAC needs the package @wasm-audio-decoders/flac.
 * @param source a path, or the bytes of a file
 * @returns one channel, full scale from -1 to 1
 * @throws DataError, which names the file, for what cannot be read, is of another kind, empty, damaged or cut short, has samples that are no finite
 *   numbers, or no such channel; OstrichError `ERR_OPTION`
 * @example
 * const { samples, rate } = await readSound('hello.wav', { rate: 16_000 })
 * const left = await readSound('call.wav', { channel: 0 })
 * const bare = await readSound('hello.raw', { raw: { rate: 8000, encoding: 'ulaw' } })
 */
export async function readSound(source: string | Uint8Array, options: ReadSoundOptions = {}): Promise<Sound> {
  expectKind('readSound', 'source', is.either(is.text, is.instance('a Uint8Array', Uint8Array)), source)
  expectOptions('readSound', options, soundOptions)
  if (options.raw !== undefined) expectOptions('readSound[raw]', options.raw, rawOptions)
  const given = typeof source === 'string'
  const { rate, channel = 'mean', name = given ? source : 'sound' } = options
  const bytes = given ? await bytesIn(source) : source
  if (bytes.length === 0) throw new DataError(`${name}: expected a sound, got no bytes`)
  const sound = await decoded(bytes, channel, name, options.raw)
  return rate === undefined ? sound : resample(sound, rate)
}

async function decoded(bytes: Uint8Array, channel: Channel, name: string, raw?: RawFormat): Promise<Sound> {
  if (raw !== undefined) return soundOf(rawPcm(bytes, raw, name), channel, name)
  if (isWav(bytes)) return soundOf(parseWav(bytes, name), channel, name)
  if (isSphere(bytes)) return soundOf(parseSphere(bytes, name), channel, name)
  if (isFlac(bytes)) return readFlac(bytes, channel, name)
  const start = String.fromCharCode(...bytes.subarray(0, 16))
  const other = OTHERS.find(([mark, at]) => start.startsWith(mark, at))?.[2]
  const remedy = other === 'gzip' ? '' : `. Run: ffmpeg -i ${basename(name)} OUT.wav`
  const got = other === undefined ? 'other contents' : `${other}${remedy}`
  throw new DataError(`${name}: expected a WAV, NIST SPHERE or FLAC file (\`raw\` reads samples alone), got ${got}`)
}

/** @throws DataError for what is no file, is too large or cannot be read */
async function bytesIn(path: string): Promise<Uint8Array> {
  try {
    const found = await stat(path)
    // Reading a pipe or a device might never end.
    if (!found.isFile()) {
      throw new DataError(`${path}: expected a file, got ${found.isDirectory() ? 'a folder' : 'none'}`)
    }
    if (found.size > MOST_BYTES) throw new DataError(`${path}: expected at most ${MOST_BYTES} bytes, got ${found.size}`)
    return await readFile(path)
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(`${path}: expected a file that can be read, got ${reasonOf(error)}`, { cause: error })
  }
}
