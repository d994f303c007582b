// What a person gives as data -> sources of batches: a data set (shuffled, resumable anywhere), or batches of their own.
import { expectOptions, nearest, OstrichError } from '../base/index.js'
import {
  type Batch,
  type BatchShape,
  batches,
  DataError,
  type Dataset,
  type FieldArray,
  fieldOptions,
  type Fields,
  fromBatches,
  stepsPerEpoch,
  type Text,
  type Tokenizer,
  type UserBatch,
  type VocabularyData,
  windowFields,
  windows,
  windowsPerEpoch,
} from '../data/index.js'
import { cutsOf, paddingOf, shapesOf } from '../data/buckets.js'

/** Batches made by the user: one iterable for every epoch, or a function that makes one for each (epochs count from 0). */
export type UserBatches =
  Iterable<UserBatch> | AsyncIterable<UserBatch> | ((epoch: number) => Iterable<UserBatch> | AsyncIterable<UserBatch>)

/** A training set and what is held back to measure it by. */
export interface TrainingData<F extends Fields = Fields> {
  readonly train: Dataset<F> | Text | UserBatches
  readonly validation?: Dataset | Text | UserBatches
  /** What every batch of an iterable holds; a data set says so itself. */
  readonly fields?: F
  /** What the labels stand for, from 0 on: a checkpoint keeps it. */
  readonly classes?: readonly string[]
  /** What a person should know of it: the session tells it, as it tells what it finds itself. */
  readonly notes?: readonly string[]
}

/** Where an epoch begins, and how it is cut. */
export interface EpochOptions {
  readonly batch: number
  readonly epoch: number
  readonly startStep?: number
  readonly seed?: number
  readonly shuffle?: boolean
  /** Let a data set vary its examples by seed and epoch. */
  readonly augment?: boolean
  /** Leave out a last batch that is short. */
  readonly dropLast?: boolean
}

/** Batches of one set, epoch by epoch. */
export interface Source {
  readonly fields: Fields
  /** What the numbers of a text stand for. */
  readonly vocabulary?: VocabularyData
  /** What the numbers of other fields stand for. */
  readonly tokenizers?: Readonly<Record<string, Tokenizer>> | undefined
  /** Views of each example, in the first extent of `x`; 1 where it has none. */
  readonly views: number
  /** Steps of an epoch of training; undefined where only the iterable knows. */
  steps(batch: number): number | undefined
  /** The kinds of batches of an epoch of training, that of the most values first. */
  shapes(batch: number): readonly BatchShape[]
  /** Examples of a step of training, of texts tokens, on average. */
  perStep(batch: number): number
  /** Share of the steps of an epoch's batches that are padding; undefined where examples are all of one size. */
  padding(batch: number): number | undefined
  epoch(options: EpochOptions): AsyncGenerator<Batch, void, undefined>
  /** A hash that tells this set from another; undefined where it cannot be looked into. */
  fingerprint(): Promise<string | undefined>
}

export interface Sources {
  readonly train: Source
  readonly validation: Source | undefined
  readonly classes?: readonly string[] | undefined
  /** What a person should know of them. */
  readonly notes: readonly string[]
}

/** Reads the `data` option of a session; texts come in windows of so many steps. */
export function sourcesOf(data: Dataset | Text | TrainingData, window?: number): Sources {
  const given: unknown = data
  if (isDataset(given)) return { train: datasetSource(given), validation: undefined, notes: notesOf({ train: given }) }
  if (isText(given)) return { train: textSource(given, window), validation: undefined, notes: [] }
  if (typeof given !== 'object' || given === null || !('train' in given)) {
    throw new DataError('session[data]: expected a data set or { train, validation }, got something else')
  }
  expectHalves(data as TrainingData)
  const { train, validation, fields, classes, notes = [] } = data as TrainingData
  const known = fields ?? (isDataset(train) ? train.fields : undefined)
  const source = sourceOf(train, known, 'train', window)
  expectTexts('classes', 'names', classes)
  expectTexts('notes', 'texts', notes)
  return {
    train: source,
    validation: validation && sourceOf(validation, source.fields, 'validation', window),
    classes,
    notes: [...notes, ...notesOf({ train, validation })],
  }
}

/** Examples that are in none of the sets. */
function notesOf(sets: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(sets).flatMap(([name, set]) => {
    const left = isDataset(set) ? (set.buckets?.leftOut ?? 0) : 0
    return left === 0 ? [] : [`data[${name}]: ${left} examples are longer than the longest allowed, and left out`]
  })
}

function expectTexts(option: string, what: string, given: unknown): void {
  if (given === undefined || (Array.isArray(given) && given.every((text) => typeof text === 'string'))) return
  throw new DataError(`session[data.${option}]: expected a list of ${what}, got ${JSON.stringify(given)}`)
}

/** @throws DataError in the name of `where` for labels that stand for other classes than those that a network was trained on */
export function expectClasses(where: string, trained: Sources['classes'], own: Sources['classes']): void {
  if (trained === undefined || own === undefined) return
  const at = Math.max(trained.length, own.length) - 1
  const place = Array.from({ length: at + 1 }, (_, i) => i).find((i) => trained[i] !== own[i])
  if (place === undefined) return
  const name = (of: readonly string[]): string => of[place] ?? 'none'
  throw new DataError(`${where}: expected class ${place} to be ${name(trained)}, as in training, got ${name(own)}`)
}

/** Data sets carry more than their halves (classes, statistics): only a slip of the pen is refused. */
function expectHalves(data: TrainingData): void {
  const names = ['train', 'validation', 'fields', 'classes', 'notes']
  for (const name of Object.keys(data)) {
    const guess = names.includes(name) ? undefined : nearest(name, names)
    if (guess === undefined) continue
    const expected = `expected ${names.join(', ')}, got ${name} (did you mean ${guess}?)`
    throw new OstrichError('ERR_OPTION', `session[data]: ${expected}`)
  }
  for (const [name, field] of Object.entries(data.fields ?? {})) {
    expectOptions(`session[data.fields.${name}]`, field, fieldOptions)
  }
}

function isDataset(value: unknown): value is Dataset {
  return typeof value === 'object' && value !== null && 'gather' in value && 'fields' in value
}

function isText(value: unknown): value is Text {
  return typeof value === 'object' && value !== null && 'tokens' in value && 'vocabulary' in value
}

function sourceOf(
  data: Dataset | Text | UserBatches,
  fields: Fields | undefined,
  name: string,
  window: number | undefined,
): Source {
  if (isDataset(data)) return datasetSource(data)
  if (isText(data)) return textSource(data, window)
  if (fields === undefined) {
    throw new DataError(`session[data.fields]: expected the dtype and shape of each field of '${name}', got none`)
  }
  return userSource(data, fields, name)
}

function datasetSource(set: Dataset): Source {
  const { fields, buckets, views = 1, tokenizers } = set
  const fingerprint = (): Promise<string> => fingerprintOf(set)
  if (buckets !== undefined) {
    return {
      ...{ fields, views, fingerprint, tokenizers },
      steps: (batch) => cutsOf(buckets, batch).length,
      shapes: (batch) => shapesOf(set, buckets, batch),
      perStep: (batch) => set.length / cutsOf(buckets, batch).length,
      padding: (batch) => paddingOf(buckets, batch),
      // A last batch that is short has a program of its own in training too: which examples are in it depends on their lengths.
      epoch: (options) => batches(set, { ...options, dropLast: false }),
    }
  }
  return {
    ...{ fields, views, fingerprint, tokenizers },
    ...uniform(fields),
    steps: (batch) => stepsPerEpoch(set.length, batch, true),
    epoch: (options) => batches(set, options),
  }
}

/** Of a source whose batches are all of one kind. */
function uniform(fields: Fields, steps?: number): Pick<Source, 'shapes' | 'perStep' | 'padding'> {
  return {
    shapes: (rows) => [{ rows, steps, fields }],
    perStep: (rows) => rows * (steps ?? 1),
    padding: () => undefined,
  }
}

/** Streams of a text, in windows; nothing is shuffled, as the state of a stream goes on from window to window. */
function textSource(text: Text, window: number | undefined): Source {
  if (window === undefined)
    throw new DataError('session[window]: expected the steps of a window, as the data is a text, got none')
  return {
    fields: windowFields(window),
    ...uniform(windowFields(window), window),
    vocabulary: text.vocabulary.toJSON(),
    views: 1,
    steps: (streams) => windowsPerEpoch(text.tokens.length, { streams, steps: window, dropLast: true }),
    // eslint-disable-next-line @typescript-eslint/require-await -- batches of other sources come from disk
    async *epoch({ batch: streams, epoch, startStep = 0, dropLast = false }) {
      yield* windows(text, { epoch, startStep, dropLast, streams, steps: window })
    },
    fingerprint: async () => {
      const { createHash } = await import('node:crypto')
      const { buffer, byteOffset, byteLength } = text.tokens
      const hash = createHash('sha256').update(JSON.stringify([window, text.vocabulary]))
      return hash
        .update(new Uint8Array(buffer, byteOffset, byteLength))
        .digest('hex')
        .slice(0, 32)
    },
  }
}

function userSource(data: UserBatches, fields: Fields, name: string): Source {
  /** Whether an earlier epoch had batches: a generator has them once. */
  let had = false
  return {
    fields,
    ...uniform(fields),
    views: 1,
    steps: () => undefined,
    async *epoch({ batch, epoch, startStep = 0, dropLast = false }) {
      const made = typeof data === 'function' ? data(epoch) : data
      let [whole, short] = [0, 0]
      for await (const item of fromBatches(made, { fields, batch, epoch, startStep })) {
        if (item.count !== batch && dropLast) {
          short = Math.max(short, item.count)
          continue
        }
        whole++
        had = true
        yield item
      }
      if (whole > 0 || startStep > 0) return
      const where = `session[data.${name}]: epoch ${epoch + 1}`
      if (had && made === data) {
        const remedy = `give a function, ${name}: (epoch) => batches(epoch), or an iterable that can be gone through again`
        throw new DataError(
          `${where}: expected batches, got an iterable that has ended, as a generator does: ${remedy}`,
        )
      }
      if (short > 0) {
        throw new DataError(`${where}: expected batches of ${batch} examples, got none with more than ${short}`)
      }
    },
    fingerprint: () => Promise.resolve(undefined),
  }
}

/** Examples that are hashed: enough to tell two sets apart, few enough to cost nothing. */
const SAMPLES = 256

/** Hash of the fields, the length and a spread of examples. */
async function fingerprintOf(set: Dataset): Promise<string> {
  const { createHash } = await import('node:crypto')
  const { multiple, tokens } = set.buckets ?? {}
  const about = [set.length, set.fields, ...(multiple === undefined ? [] : [multiple, tokens])]
  const hash = createHash('sha256').update(JSON.stringify(about))
  const count = Math.min(SAMPLES, set.length)
  const indices = Uint32Array.from({ length: count }, (_, i) => Math.floor((i * set.length) / count))
  const values = Object.fromEntries(
    Object.entries(set.fields).map(([name, { dtype, shape }]) => {
      const length = shape.reduce((product, extent) => product * extent, count)
      return [
        name,
        dtype === 'u8' ? new Uint8Array(length) : dtype === 'i32' ? new Int32Array(length) : new Float32Array(length),
      ]
    }),
  ) as Record<string, FieldArray>
  await set.gather(indices, values)
  for (const name of Object.keys(values).sort()) {
    const { buffer, byteOffset, byteLength } = values[name]!
    hash.update(new Uint8Array(buffer, byteOffset, byteLength))
  }
  return hash.digest('hex').slice(0, 32)
}
