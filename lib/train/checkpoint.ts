// Session state <-> safetensors: every variable under its path, and one metadata entry, `ostrich`, that says how the run
// stood; another holds digests of it all. Refuses a damaged file (naming the tensor) and that of another model (naming the first
// tensors that differ) before anything is written to the device.
import type { CompilePrecision } from '../compile/index.js'
import { type DType, formatShape, type HostArray, sameShape, type Shape } from '../graph/index.js'
import {
  CheckpointError,
  openSafetensors,
  type SafetensorsFile,
  type TensorArray,
  type TensorDtype,
  type TensorSource,
  writeSafetensors,
} from '../files/index.js'
import { short } from '../files/safetensors-header.js'
import type { Monitored } from './monitor.js'
import { readState, type StateEntry } from './state.js'
import { type Fields, type Tokenizer, tokenizerOf, Vocabulary, type VocabularyData } from '../data/index.js'
import type { Preparations } from './preparation.js'

/** How a run stood when it was saved. */
export interface CheckpointInfo {
  readonly version: 1
  /** Finished training steps. */
  readonly step: number
  /** Epoch to go on with, from 0, and how many of its steps are done. */
  readonly epoch: number
  readonly stepInEpoch: number
  readonly seed: number
  readonly batch: number
  readonly precision: CompilePrecision
  readonly device: string
  readonly processor: string
  readonly threads: number
  readonly versions: Readonly<Record<string, string>>
  readonly fields: Fields
  /** What became of `x` and `target` before the network and the loss took them; absent in older files. */
  readonly preparation?: Preparations
  /** What the labels stand for, where the data said it. */
  readonly classes?: readonly string[] | undefined
  /** Runs of compiled functions that drew random numbers. */
  readonly draws?: number
  /** Where a measure was monitored: its best epoch, and how long that is ago. */
  readonly monitored?: Monitored
  /** Hash of the training set, where it could be looked into. */
  readonly data: string | undefined
  /** Paths of the trained variables; the other tensors are optimiser state and counters. */
  readonly parameters: readonly string[]
  /** Whatever the session was given as `config`. */
  readonly config: unknown
  /** What the numbers stand for, where it was trained on a text. */
  readonly vocabulary?: VocabularyData | undefined
  /** What the numbers of its fields stand for, by the names that the data set gave them. */
  readonly tokenizers?: Readonly<Record<string, Tokenizer>> | undefined
  /** Whether the file has digests; older files have none. */
  readonly digests?: boolean
}

const KEY = 'ostrich'
const precisions: readonly CompilePrecision[] = ['f32', 'tf32', 'bf16']
const dtypeNames: Readonly<Record<DType, TensorDtype>> = { f32: 'F32', bf16: 'BF16', i32: 'I32', u8: 'U8' }

/**
 * Writes a checkpoint, whole or not at all.
 * @throws CheckpointError for a failing disk; what was at `path` before is intact then
 */
export async function writeCheckpoint(
  path: string,
  entries: readonly StateEntry[],
  info: CheckpointInfo,
): Promise<void> {
  const tensors: Record<string, TensorSource> = {}
  for (const entry of entries) {
    const { dtype, shape } = entry.variable
    tensors[entry.name] = { dtype: dtypeNames[dtype], shape, data: () => readState(entry) as Promise<TensorArray> }
  }
  const about: CheckpointInfo = { ...info, digests: true }
  await writeSafetensors(path, tensors, { [KEY]: JSON.stringify(about) }, { digests: true })
}

/** An open checkpoint; `info` is undefined for a safetensors file that another program wrote. */
export interface Checkpoint extends AsyncDisposable {
  readonly file: SafetensorsFile
  readonly info: CheckpointInfo | undefined
}

/**
 * Opens a checkpoint and checks what it says of itself.
 * @throws CheckpointError when the file cannot be read, or its `ostrich` entry is not one
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const file = await openSafetensors(path)
  try {
    const text = file.metadata.get(KEY)
    const info = text === undefined ? undefined : parseInfo(text, path)
    if (info?.digests === true && !file.hasDigests) fail(path, 'digests, as the entry says', 'none: damaged')
    return { file, info, [Symbol.asyncDispose]: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * Holds an open checkpoint to its digests, and its counter of steps to what it says of its run; gives whether it has digests.
 * @param onBytes called after each piece with the number of its bytes
 * @throws CheckpointError naming the first tensor that is not as it was written
 */
export async function checkContent({ file, info }: Checkpoint, onBytes?: (bytes: number) => void): Promise<boolean> {
  const checked = await file.check(onBytes)
  const counter = file.tensors.get('step')
  if (info === undefined || counter?.dtype !== 'I32' || counter.shape.length > 0) return checked
  const [counted] = await file.read('step')
  if (counted === info.step) return checked
  throw new CheckpointError(`${file.path}[step]: expected ${info.step}, as [${KEY}] says, got ${String(counted)}`)
}

/** What was found to be whole. */
export interface Checked {
  readonly tensors: number
  readonly bytes: number
  /** Whether the tensors could be compared with digests; else only the header was looked at. */
  readonly digests: boolean
  /** How the run that wrote it stood; undefined for a file that no session wrote. */
  readonly info: CheckpointInfo | undefined
}

/**
 * Reads a checkpoint, or any other safetensors file, from end to end and holds it to its digests.
 * @throws CheckpointError naming the tensor, or what is wrong with the header
 * @example const { digests } = await train.checkCheckpoint('mnist.safetensors')
 */
export async function checkCheckpoint(path: string, onBytes?: (done: number, total: number) => void): Promise<Checked> {
  await using checkpoint = await openCheckpoint(path)
  const { file, info } = checkpoint
  let done = 0
  const digests = await checkContent(checkpoint, (bytes) => {
    done += bytes
    onBytes?.(done, file.bytes)
  })
  return { tensors: file.tensors.size, bytes: file.bytes, digests, info }
}

/** What a checkpoint says of its run. */
export async function inspectCheckpoint(path: string): Promise<CheckpointInfo | undefined> {
  const checkpoint = await openCheckpoint(path)
  await checkpoint.file.close()
  return checkpoint.info
}

/** A tensor as its owner expects it. */
export interface Expected {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
}

/**
 * Holds a file to what a model expects; of what is missing, not expected or of another shape, the first of each is named.
 * @param optional tensors that the file may hold beside
 * @throws CheckpointError
 */
export function checkTensors(
  file: SafetensorsFile,
  expected: readonly Expected[],
  optional: (name: string) => boolean,
): void {
  const faults: string[] = []
  const known = new Set(expected.map(({ name }) => name))
  const list = (what: string, names: readonly string[]): void => {
    const [first] = names
    if (first === undefined) return
    faults.push(names.length === 1 ? `${what} ${first}` : `${what} ${first} and ${names.length - 1} more`)
  }
  list(
    'missing',
    expected.filter(({ name }) => !file.tensors.has(name)).map(({ name }) => name),
  )
  list(
    'not expected',
    [...file.tensors.keys()].filter((name) => !known.has(name) && !optional(name)),
  )
  const shaped = expected.flatMap(({ name, dtype, shape }) => {
    const got = file.tensors.get(name)
    if (got === undefined || (got.dtype === dtypeNames[dtype] && sameShape(got.shape, shape))) return []
    const types = `${dtypeNames[dtype]} ${formatShape(shape)}, got ${got.dtype} ${formatShape(got.shape)}`
    return [`${name} (expected ${types})`]
  })
  list('of another type', shaped)
  if (faults.length === 0) return
  throw new CheckpointError(`${file.path}: expected a checkpoint of this model, got another: ${faults.join('; ')}`)
}

/** Writes the file's tensors into the variables; check them first. */
export async function restore(file: SafetensorsFile, entries: readonly StateEntry[]): Promise<void> {
  for (const entry of entries) {
    await entry.buffer.write((await file.read(entry.name)) as HostArray)
  }
}

function parseInfo(text: string, path: string): CheckpointInfo {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (typeof value !== 'object' || value === null) fail(path, 'an object', 'none')
  const info = value as Record<string, unknown>
  if (info['version'] !== 1) fail(path, 'version 1', short(info['version']))
  for (const key of ['step', 'epoch', 'stepInEpoch', 'seed', 'batch', 'threads']) {
    const got = info[key]
    if (!(typeof got === 'number' && Number.isSafeInteger(got) && got >= 0))
      fail(path, `a whole number ${key}`, String(got))
  }
  for (const key of ['device', 'processor', 'precision']) {
    if (typeof info[key] !== 'string') fail(path, `a string ${key}`, typeof info[key])
  }
  if (!precisions.some((one) => one === info['precision']))
    fail(path, `a precision of ${precisions.join(', ')}`, short(info['precision']))
  const names = info['parameters']
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    fail(path, 'a list parameters', typeof names)
  if (typeof info['versions'] !== 'object' || info['versions'] === null) fail(path, 'versions', 'none')
  checkFields(info['fields'], path)
  checkMeaning(info, path)
  checkMonitored(info['monitored'], path)
  if (info['vocabulary'] !== undefined) checkVocabulary(info['vocabulary'], path)
  const { tokenizers, ...rest } = info
  return { ...rest, ...(tokenizers !== undefined && { tokenizers: tokenizersOf(tokenizers, path) }) } as CheckpointInfo
}

const isNames = (value: unknown): boolean => Array.isArray(value) && value.every((name) => typeof name === 'string')

function checkMeaning({ preparation, classes, draws = 0 }: Record<string, unknown>, path: string): void {
  if (classes !== undefined && !isNames(classes)) fail(path, 'a list classes', typeof classes)
  if (!(Number.isSafeInteger(draws) && Number(draws) >= 0)) fail(path, 'a whole number draws', String(draws))
  if (preparation === undefined) return
  if (typeof preparation !== 'object' || preparation === null) fail(path, 'preparation', 'none')
  for (const [name, one] of Object.entries(preparation)) {
    const {
      ops,
      digest,
      default: own,
    } = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>
    const good = isNames(ops) && typeof digest === 'string' && typeof own === 'boolean'
    if (!good) fail(path, `ops and digest of the preparation of ${name}`, JSON.stringify(one))
  }
}

function checkMonitored(value: unknown, path: string): void {
  if (value === undefined) return
  const found = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const { stale, best, waited = stale } = found
  const { measure, value: reached, epoch } = (best ?? { measure: '', value: 0, epoch: 0 }) as Record<string, unknown>
  const counts = Number.isSafeInteger(stale) && Number.isSafeInteger(waited)
  const good = counts && typeof measure === 'string' && typeof reached === 'number'
  if (!good || !Number.isSafeInteger(epoch))
    fail(path, 'monitored: the best epoch and how long it is ago', short(value))
}

function checkFields(fields: unknown, path: string): void {
  if (typeof fields !== 'object' || fields === null) fail(path, 'fields', 'none')
  for (const [name, field] of Object.entries(fields)) {
    const { dtype, shape } = (typeof field === 'object' && field !== null ? field : {}) as Record<string, unknown>
    const whole = (extent: unknown): boolean => Number.isSafeInteger(extent) && Number(extent) > 0
    const good = ['u8', 'i32', 'f32'].includes(String(dtype)) && Array.isArray(shape) && shape.every(whole)
    if (!good) fail(path, `dtype and shape of the field ${name}`, short(field))
  }
}

function checkVocabulary(value: unknown, path: string): void {
  try {
    new Vocabulary((value ?? {}) as VocabularyData)
  } catch (error) {
    fail(path, 'a vocabulary', error instanceof Error ? error.message : String(error))
  }
}

function tokenizersOf(value: unknown, path: string): Readonly<Record<string, Tokenizer>> {
  if (typeof value !== 'object' || value === null) fail(path, 'tokenizers by name', short(value))
  const read = ([name, one]: [string, unknown]) =>
    [name, tokenizerOf(one, `${path}[${KEY}.tokenizers.${name}]`)] as const
  try {
    return Object.fromEntries(Object.entries(value).map(read))
  } catch (error) {
    fail(path, 'tokenizers', error instanceof Error ? error.message : String(error))
  }
}

function fail(path: string, expected: string, got: string): never {
  throw new CheckpointError(`${path}[${KEY}]: expected ${expected}, got ${got}`)
}
