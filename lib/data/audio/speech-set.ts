// Spoken lines as a data set: samples as they are, which a network makes its features of, and what was said as numbers of an alphabet. Lines of about
// one length come together in batches.
import { expectKind, expectOptions, is, type Schema } from '../../base/index.js'
import { checkIndices, type Column, copyRows } from '../arrays.js'
import { bucketOf } from '../buckets.js'
import { type Buckets, type Dataset, describe, type FieldArray } from '../dataset.js'
import { DataError } from '../errors.js'
import { expectSound, type Sound } from './sound.js'
import { countAt, speedOf, SpeedVersions } from './speeds.js'

/** A line that was spoken. Its sound is asked for whenever it is needed, so that it may be made then: always the same one. */
export interface Utterance {
  readonly sound: Sound
  /** What was said. */
  readonly transcript: string
  /** What to call it in errors. */
  readonly name?: string
  readonly speaker?: string
}

/** What makes numbers of what was said: an `Alphabet`, or one's own. */
export interface Labels {
  /** The numbers of a line, none of them that of the blank. `what` names the line in errors. */
  encode(line: string, what?: string): Int32Array
}

type Count = { readonly dtype: 'i32'; readonly shape: readonly [] }

/** The fields of spoken lines. */
export type SpeechFields = {
  readonly samples: {
    readonly dtype: 'f32'
    readonly shape: readonly [number]
    readonly batchAxis: 1
    readonly varies: true
  }
  readonly sampleLengths: Count
  readonly labels: { readonly dtype: 'i32'; readonly shape: readonly [number] }
  readonly labelLengths: Count
}

/** Spoken lines as a data set. */
export interface SpeechSet extends Dataset<SpeechFields> {
  /** The lines that are in the set, in the order of its examples. */
  readonly utterances: readonly Utterance[]
  /** Samples a second, Hz. */
  readonly rate: number
}

/** Options of `speechSet`. Lengths are seconds. */
export interface SpeechOptions {
  readonly alphabet: Labels
  /** Batches last a multiple of so long, so that programs stay few. Default: 0.5. */
  readonly multiple?: number
  /** How long all rows of a batch together may be, padding included: short lines come in larger batches. Default: as long as there are. */
  readonly seconds?: number
  /** Of the longest line that is allowed. Default: the longest that there is. */
  readonly longest?: number
  /** What becomes of longer ones; how many were left out the set says (`buckets.leftOut`), and a session. Default: `refuse`. */
  readonly longer?: 'refuse' | 'leave out'
  /**
   * Each line is said at one of these speeds in training, drawn anew in each epoch: pace and pitch change together. Lines at other speeds are kept, up
   * to 512 MiB of them. Default: as it was said.
   * @see Ko, Peddinti, Povey & Khudanpur 2015, "Audio augmentation for speech recognition", 3, which has 0.9, 1 and 1.1
   */
  readonly speeds?: readonly number[]
  /** The extent of `labels`, where it is to be more than the longest line needs. Default: that. */
  readonly labels?: number
}

const schema: Schema<SpeechOptions> = {
  alphabet: is.needed(is.withMethods('an alphabet', 'encode')),
  multiple: is.positive,
  seconds: is.positive,
  longest: is.positive,
  longer: is.oneOf('refuse', 'leave out'),
  speeds: is.kind('speeds from 0.5 to 2', (value) => {
    return is.numbers.accepts(value) && (value as number[]).every((speed) => speed >= 0.5 && speed <= 2)
  }),
  labels: is.whole(1),
}

/** A line, and what is known of it. */
interface Line {
  readonly utterance: Utterance
  readonly name: string
  readonly rate: number
  readonly samples: number
  readonly labels: Int32Array
}

/**
 * Spoken lines as a data set. Fields: `samples` f32 [S, N], from -1 to 1, silence behind the end of each; `sampleLengths` i32 [N]; `labels` i32
 * [N, L], 0 behind the end of each; `labelLengths` i32 [N].
 * @throws DataError, which names the line, for a sound that is empty, of another rate or no finite numbers, a symbol that is not in the alphabet, a line
 *   that is longer than the longest allowed; OstrichError `ERR_OPTION`
 * @example
 * const lines = [{ sound: await readSound('one.wav', { rate: 8000 }), transcript: 'one' }]
 * const set = speechSet(lines, { alphabet: Alphabet.of(['one', 'two'], 'character'), longest: 10 })
 */
export function speechSet(utterances: readonly Utterance[], options: SpeechOptions): SpeechSet {
  expectOptions('speechSet', options, schema)
  return setOf(linesOf('speechSet', utterances, options.alphabet), options)
}

/** Looks at spoken lines. @throws DataError */
function linesOf(op: string, utterances: readonly Utterance[], alphabet: Labels): readonly Line[] {
  expectKind(op, 'utterances', is.listOf(is.object, 'spoken lines'), utterances)
  const lines = utterances.map((utterance, place): Line => {
    const { sound, name = `${op}: line ${place}` } = utterance
    const transcript: unknown = utterance.transcript
    expectSound(name, sound)
    if (typeof transcript !== 'string') {
      throw new DataError(`${name}: expected a transcript, got ${describe(transcript)}`)
    }
    const labels: unknown = alphabet.encode(transcript, name)
    if (!(labels instanceof Int32Array)) {
      throw new DataError(`${name}: expected an Int32Array of the alphabet, got ${describe(labels)}`)
    }
    return { utterance, name, rate: sound.rate, samples: sound.samples.length, labels }
  })
  const [first] = lines
  if (first === undefined) throw new DataError(`${op}: expected spoken lines, got none`)
  const other = lines.find(({ rate }) => rate !== first.rate)
  if (other === undefined) return lines
  const got = `${other.rate} Hz (\`resample\` brings all to one rate)`
  throw new DataError(`${other.name}: expected ${first.rate} Hz, as the first line has, got ${got}`)
}

function setOf(
  all: readonly Line[],
  { multiple = 0.5, seconds, longest, longer = 'refuse', speeds = [], labels }: SpeechOptions,
): SpeechSet {
  const { rate } = all[0]!
  const allowed = longest === undefined ? Infinity : Math.round(longest * rate)
  const over = all.find(({ samples }) => samples > allowed)
  if (over !== undefined && longer === 'refuse') {
    const got = `${(over.samples / rate).toFixed(2)} s (longer: 'leave out' leaves such lines out)`
    throw new DataError(`${over.name}: expected at most ${longest} s, got ${got}`)
  }
  const lines = all.filter(({ samples }) => samples <= allowed)
  if (lines.length === 0) {
    throw new DataError(`speechSet[longest]: expected ${longest} s to be enough for a line, got none`)
  }
  // Where lines are said at several speeds, at the slowest.
  const slowest = speeds.reduce((least, speed) => Math.min(least, speed), 1)
  const buckets: Buckets = {
    lengths: Int32Array.from(lines, ({ samples }) => countAt(samples, rate, slowest)),
    multiple: Math.max(1, Math.round(multiple * rate)),
    tokens: seconds === undefined ? undefined : Math.round(seconds * rate),
    leftOut: all.length - lines.length,
  }
  const steps = bucketOf(
    buckets.lengths.reduce((most, samples) => Math.max(most, samples), 0),
    buckets.multiple,
  )
  if (buckets.tokens !== undefined && buckets.tokens < steps) {
    const expected = `expected at least ${steps / rate}, the longest line rounded up to a multiple of ${multiple}`
    throw new DataError(`speechSet[seconds]: ${expected}, got ${seconds}`)
  }
  return assembled(lines, { labels: labelsOf(lines, labels), steps, buckets, speeds })
}

/** The labels of all lines, each row as long as the longest, or longer where `least` says so. */
function labelsOf(lines: readonly Line[], least = 1): Column {
  const stride = lines.reduce((most, { labels }) => Math.max(most, labels.length), least)
  const data = new Int32Array(lines.length * stride)
  for (const [i, { labels }] of lines.entries()) data.set(labels, i * stride)
  return { data, spec: { dtype: 'i32', shape: [stride] }, stride }
}

interface Parts {
  readonly labels: Column
  /** Samples of the longest batch. */
  readonly steps: number
  readonly buckets: Buckets
  readonly speeds: readonly number[]
}

function assembled(lines: readonly Line[], { labels, steps, buckets, speeds }: Parts): SpeechSet {
  const utterances = lines.map(({ utterance }) => utterance)
  const { rate } = lines[0]!
  const versions = new SpeedVersions()
  const scalar = { dtype: 'i32', shape: [] } as const
  const columns: readonly (readonly [string, Column])[] = [
    ['labels', labels],
    ['labelLengths', { data: Int32Array.from(lines, (line) => line.labels.length), spec: scalar, stride: 1 }],
  ]
  return {
    length: lines.length,
    fields: {
      samples: { dtype: 'f32', shape: [steps], batchAxis: 1, varies: true },
      sampleLengths: scalar,
      labels: { dtype: 'i32', shape: [labels.stride] },
      labelLengths: scalar,
    },
    buckets,
    utterances,
    rate,
    gather(indices, out: Readonly<Record<string, FieldArray>>, key) {
      checkIndices(indices, lines.length)
      for (const [name, column] of columns) if (name in out) copyRows(column, indices, out[name]!, name)
      const drawn = Array.from(indices, (index) => speedOf(speeds, index, key))
      if ('sampleLengths' in out) {
        const counts = Int32Array.from(indices, (index, i) => countAt(lines[index]!.samples, rate, drawn[i]!))
        const places = Array.from(counts, (_, i) => i)
        copyRows({ data: counts, spec: scalar, stride: 1 }, places, out['sampleLengths'], 'sampleLengths')
      }
      if ('samples' in out) {
        const rows = Array.from(indices, (index, i) => versions.samplesOf(index, utterances[index]!, drawn[i]!))
        putSamples(rows, out['samples'])
      }
    },
  }
}

/** Writes rows time-major, silence behind the end of each. */
export function putSamples(rows: readonly Float32Array[], out: unknown): void {
  const count = rows.length
  const longest = rows.reduce((most, { length }) => Math.max(most, length), 0)
  const steps = out instanceof Float32Array ? out.length / count : NaN
  if (!(out instanceof Float32Array) || !Number.isInteger(steps) || steps < longest) {
    const expected = `Float32Array of ${count} rows of at least ${longest} samples`
    throw new DataError(`gather[samples]: expected ${expected}, got ${describe(out)}`)
  }
  for (let t = 0, at = 0; t < steps; t++) {
    for (let row = 0; row < count; row++, at++) {
      const samples = rows[row]!
      out[at] = t < samples.length ? samples[t]! : 0
    }
  }
}

/** The parts of a corpus of spoken lines. */
export interface SpeechParts {
  readonly train: readonly Utterance[]
  /** Held back, to measure by while a network is trained; absent where none are. */
  readonly validation?: readonly Utterance[]
  /** To be measured once, at the end. */
  readonly test: readonly Utterance[]
}

/** A corpus of spoken lines as data sets. */
export interface SpeechSets {
  readonly train: SpeechSet
  readonly validation?: SpeechSet
  readonly test: SpeechSet
}

/**
 * All parts of a corpus by one alphabet, with labels of one extent.
 * @throws what `speechSet` throws
 * @example
 * const words = await yesno()
 * const { train, test } = speechSets(words, { alphabet: Alphabet.of(['NO YES'], 'word') })
 */
export function speechSets({ train, validation, test }: SpeechParts, options: SpeechOptions): SpeechSets {
  expectOptions('speechSets', options, schema)
  const parts = { train, test, ...(validation && { validation }) }
  const lines = Object.entries(parts).map(([name, part]) => linesOf(`speechSets[${name}]`, part, options.alphabet))
  const labels = lines.flat().reduce((most, line) => Math.max(most, line.labels.length), options.labels ?? 1)
  // Only the first is trained on.
  const [own, last, held] = lines.map((part, i) => setOf(part, { ...options, labels, ...(i > 0 && { speeds: [] }) }))
  return { train: own!, ...(held && { validation: held }), test: last! }
}
