// A corpus of recordings as the cache holds it: all of them, one behind the other, in one WAV file of 16 bits, and a table of tab-separated values that
// says what each is. Two files are quickly read, and a person can listen to them.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DataError, reasonOf } from '../errors.js'
import { isThere } from '../present.js'
import type { Pcm } from './pcm.js'
import type { Utterance } from './speech-set.js'
import { parseWav, wavOf } from './wav.js'

const SOUNDS = 'recordings.wav'
const TABLE = 'recordings.tsv'
const COLUMNS = ['part', 'speaker', 'name', 'samples', 'transcript'] as const

/** The parts that a corpus may have. */
const PARTS = ['train', 'validation', 'test'] as const

/** What a recording is. */
export interface Row {
  readonly part: (typeof PARTS)[number]
  readonly speaker: string
  readonly name: string
  readonly transcript: string
}

/** A recording with its samples. */
export interface Recording extends Row {
  readonly samples: Int16Array
}

/** A recording of a corpus, whose sound is made when it is asked for. */
export interface Take extends Required<Utterance>, Pick<Row, 'part'> {}

/** Whether a folder holds a corpus. */
export async function hasCorpus(dir: string): Promise<boolean> {
  return (await isThere(join(dir, SOUNDS))) && (await isThere(join(dir, TABLE)))
}

/**
 * Reads a corpus of the cache.
 * @throws DataError where it is not there, or table and recordings do not belong together
 */
export async function readCorpus(dir: string, rate: number): Promise<readonly Take[]> {
  const [wavPath, tablePath] = [join(dir, SOUNDS), join(dir, TABLE)]
  const [bytes, table] = await Promise.all([contents(wavPath), contents(tablePath)])
  const pcm = parseWav(bytes, wavPath)
  if (pcm.encoding !== 's16' || pcm.byteOrder !== 'little' || pcm.channels !== 1 || pcm.rate !== rate) {
    const got = `${pcm.channels} of ${pcm.encoding} at ${pcm.rate} Hz`
    throw new DataError(`${wavPath}: expected one channel of s16 at ${rate} Hz, got ${got}`)
  }
  const samples = wholes(pcm)
  const [head, ...lines] = new TextDecoder().decode(table).trimEnd().split('\n')
  if (head !== COLUMNS.join('\t')) {
    throw new DataError(`${tablePath}: expected the columns ${COLUMNS.join(', ')}, got ${JSON.stringify(head)}`)
  }
  let at = 0
  const takes = lines.map((line, i) => {
    const { length, ...row } = rowOf(line, `${tablePath}:${i + 2}`)
    at += length
    return takeOf(row, samples.subarray(at - length, at), rate)
  })
  if (at === samples.length) return takes
  throw new DataError(`${tablePath}: expected ${samples.length} samples, as ${wavPath} has, got ${at}`)
}

async function contents(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new DataError(`${path}: expected a file that can be read, got ${reasonOf(error)}`, { cause: error })
  }
}

/** The samples of a file of 16 bits, little end first, without a copy where they lie at an even place of memory. */
function wholes({ bytes }: Pcm): Int16Array {
  const { buffer, byteOffset, length } = byteOffsetIsEven(bytes) ? bytes : bytes.slice()
  return new Int16Array(buffer, byteOffset, length / 2)
}

const byteOffsetIsEven = ({ byteOffset }: Uint8Array): boolean => byteOffset % 2 === 0

function rowOf(line: string, where: string): Row & { readonly length: number } {
  const [given, speaker, name, samples, transcript, ...more] = line.split('\t')
  const part = PARTS.find((one) => one === given)
  const length = Number(samples)
  const whole = Number.isSafeInteger(length) && length > 0
  if (part === undefined || !speaker || !name || !whole || !transcript || more.length > 0) {
    throw new DataError(`${where}: expected ${COLUMNS.join(', ')}, got ${JSON.stringify(line.slice(0, 100))}`)
  }
  return { part, speaker, name, length, transcript }
}

function takeOf(row: Row, samples: Int16Array, rate: number): Take {
  return {
    ...row,
    get sound() {
      const floats = new Float32Array(samples.length)
      for (let i = 0; i < samples.length; i++) floats[i] = samples[i]! / 0x8000
      return { samples: floats, rate }
    },
  }
}

/** Writes a corpus, each file whole or not at all. @throws what the system throws where it cannot be written */
export async function writeCorpus(
  dir: string,
  recordings: readonly Recording[],
  rate: number,
  onWrite: (file: string) => void,
): Promise<void> {
  const { placeFile } = await import('../cache.js')
  const all = new Int16Array(recordings.reduce((sum, { samples }) => sum + samples.length, 0))
  let at = 0
  const lines = recordings.map(({ part, speaker, name, samples, transcript }) => {
    all.set(samples, at)
    at += samples.length
    return [part, speaker, name, samples.length, transcript].join('\t')
  })
  const table = new TextEncoder().encode(`${[COLUMNS.join('\t'), ...lines].join('\n')}\n`)
  onWrite(SOUNDS)
  await placeFile(join(dir, SOUNDS), wavOf(all, rate))
  onWrite(TABLE)
  await placeFile(join(dir, TABLE), table)
}
