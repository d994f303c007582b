// What a person gives as data -> sources of batches: a data set (shuffled, resumable anywhere), or batches of their own.
import {
  type Batch,
  batches,
  DataError,
  type Dataset,
  type FieldArray,
  type FieldSpec,
  fromBatches,
  stepsPerEpoch,
  type UserBatch,
} from '../data/index.js'

/** Batches made by the user: one iterable for every epoch, or a function that makes one for each (epochs count from 0). */
export type UserBatches =
  Iterable<UserBatch> | AsyncIterable<UserBatch> | ((epoch: number) => Iterable<UserBatch> | AsyncIterable<UserBatch>)

/** A training set and what is held back to measure it by. */
export interface TrainingData {
  readonly train: Dataset | UserBatches
  readonly validation?: Dataset | UserBatches
  /** What every batch of an iterable holds; a data set says so itself. */
  readonly fields?: Fields
}

/** Type and extents of each field of an example, by name. */
export type Fields = Readonly<Record<string, FieldSpec>>

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
  /** Views of each example, in the first extent of `x`; 1 where it has none. */
  readonly views: number
  /** Steps of an epoch of full batches; undefined where only the iterable knows. */
  steps(batch: number): number | undefined
  epoch(options: EpochOptions): AsyncGenerator<Batch, void, undefined>
  /** A hash that tells this set from another; undefined where it cannot be looked into. */
  fingerprint(): Promise<string | undefined>
}

export interface Sources {
  readonly train: Source
  readonly validation: Source | undefined
}

/** Reads the `data` option of a session. */
export function sourcesOf(data: Dataset | TrainingData): Sources {
  const given: unknown = data
  if (isDataset(given)) return { train: datasetSource(given), validation: undefined }
  if (typeof given !== 'object' || given === null || !('train' in given)) {
    throw new DataError('session[data]: expected a data set or { train, validation }, got something else')
  }
  const { train, validation, fields } = data as TrainingData
  const known = fields ?? (isDataset(train) ? train.fields : undefined)
  const source = sourceOf(train, known, 'train')
  return { train: source, validation: validation && sourceOf(validation, source.fields, 'validation') }
}

function isDataset(value: unknown): value is Dataset {
  return typeof value === 'object' && value !== null && 'gather' in value && 'fields' in value
}

function sourceOf(data: Dataset | UserBatches, fields: Fields | undefined, name: string): Source {
  if (isDataset(data)) return datasetSource(data)
  if (fields === undefined) {
    throw new DataError(`session[data.fields]: expected the dtype and shape of each field of '${name}', got none`)
  }
  return userSource(data, fields)
}

function datasetSource(set: Dataset): Source {
  return {
    fields: set.fields,
    views: set.views ?? 1,
    steps: (batch) => stepsPerEpoch(set.length, batch, true),
    epoch: (options) => batches(set, options),
    fingerprint: () => fingerprintOf(set),
  }
}

function userSource(data: UserBatches, fields: Fields): Source {
  return {
    fields,
    views: 1,
    steps: () => undefined,
    async *epoch({ batch, epoch, startStep = 0, dropLast = false }) {
      const made = typeof data === 'function' ? data(epoch) : data
      for await (const item of fromBatches(made, { fields, batch, epoch, startStep })) {
        if (item.count === batch || !dropLast) yield item
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
  const hash = createHash('sha256').update(JSON.stringify([set.length, set.fields]))
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
