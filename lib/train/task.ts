// What is learned: fields of a batch -> network -> loss, as graph. The only place that knows the fields' roles: `x` goes
// into the network, `target` beside its output into the loss.
import {
  argmax,
  cast,
  div,
  equal,
  less,
  lessEqual,
  log,
  maximum,
  mean,
  reshape,
  softmax,
  sub,
  sum,
  where,
} from '../ops/index.js'
import { withFreshStreams } from '../ops/streams.js'
import { constant, expectTensor, feed, ShapeError, sameShape, formatShape, type Tensor } from '../graph/index.js'
import { batched, DataError, type FieldDtype, type FieldSpec } from '../data/index.js'
import type { MetricName } from './events.js'
import type { Fields } from './source.js'

/** A network: any function from one tensor to one tensor that reads Variables. */
export type Network = (x: never) => Tensor

/** Mean loss of a batch, from the network's output and the field `target`. */
export type Loss = (output: never, target: never) => Tensor<'f32'>

/**
 * How a field becomes what the network or the loss takes, field by field. Default: `u8` is cast to f32 and scaled by 1/255,
 * all else is taken as it comes.
 */
export type Inputs = Readonly<Record<string, (field: Tensor) => Tensor>>

/**
 * What the gradient is of, where the data is sequences in windows of T steps: the mean loss over time and streams, or T times
 * that, the sum over time. Losses are told as means either way.
 */
export type OverTime = 'mean' | 'sum'

export interface Task {
  readonly net: Network
  readonly loss: Loss
  readonly overTime?: OverTime | undefined
  readonly inputs: Inputs
  /** What is measured besides loss and accuracy. */
  readonly metrics?: readonly MetricName[] | undefined
}

export interface Forward {
  readonly output: Tensor
  readonly loss: Tensor
  readonly target: Tensor
}

const arrayNames: Readonly<Record<FieldDtype, string>> = { u8: 'Uint8Array', i32: 'Int32Array', f32: 'Float32Array' }

/** The fields that every task takes. */
const needed = ['x', 'target'] as const

/** The fields that a task takes, of those of a data set: sequences also say which of them are fresh. */
export function taken(fields: Fields): readonly string[] {
  return 'fresh' in fields ? [...needed, 'fresh'] : needed
}

/**
 * Checks that a data set has the two fields that a task needs and none that nothing would read, and that its `x` is of the kind
 * that the network was trained on: how it is prepared depends on it.
 * @throws DataError in the name of `where`
 */
export function checkFields(where: string, fields: Fields, trained?: FieldSpec): void {
  const names = Object.keys(fields)
  if (!needed.every((name) => names.includes(name))) {
    throw new DataError(`${where}: expected fields x and target, got ${names.join(', ')}`)
  }
  const unread = names.find((name) => name !== 'fresh' && !needed.some((one) => one === name))
  if (unread !== undefined) {
    throw new DataError(
      `${where}[${unread}]: expected fields x and target, and fresh of sequences, got ${unread} too, which neither network nor loss ` +
        'would read: leave it out of the fields',
    )
  }
  const { fresh } = fields
  if (fresh !== undefined && (fresh.dtype !== 'f32' || fresh.shape.length > 0)) {
    throw new DataError(`${where}[fresh]: expected f32[], got ${fresh.dtype}${formatShape(fresh.shape)}`)
  }
  if (trained !== undefined) checkKind(`${where}[x]`, fields['x']!.dtype, trained.dtype)
}

/** @throws DataError for numbers of another kind than the network was trained on: bytes are scaled, and floats are not */
export function checkKind(where: string, dtype: FieldDtype, trained: FieldDtype, hint = ''): void {
  if (dtype === trained) return
  const expected = `${arrayNames[trained]}, as the network was trained on ${trained}`
  throw new DataError(`${where}: expected ${expected}, got ${arrayNames[dtype]}${hint}`)
}

/** A field of a batch as the network takes it. */
export function prepared(inputs: Inputs, name: string, raw: Tensor): Tensor {
  const own = inputs[name]
  if (own !== undefined) return own(raw)
  return raw.dtype === 'u8' ? div(cast(raw, 'f32'), 255) : raw
}

/**
 * Declares the feeds of a batch and emits the network and its loss. With several `views` of each example, which lie in the
 * first extent of `x`, their probabilities are averaged; the output is the logarithm of the mean, which a loss takes as logits.
 */
export function forward({ net, loss, inputs }: Task, fields: Fields, batch: number, views = 1): Forward {
  const input = (name: (typeof needed)[number], extents: readonly number[]): Tensor => {
    const spec = fields[name]
    if (spec === undefined) throw new DataError(`session[data]: expected a field ${name}, got none`)
    const raw = feed(name, spec.dtype, batched(spec, batch))
    return prepared(inputs, name, extents.length === 0 ? raw : reshape(raw, [...extents, ...spec.shape.slice(1)]))
  }
  const call = (): Tensor => {
    const output: unknown = net(input('x', views === 1 ? [] : [batch * views]) as never)
    expectTensor(output, 'session[net]')
    return output
  }
  const each = 'fresh' in fields ? withFreshStreams(feed('fresh', 'f32', [batch]), call) : call()
  const output = views === 1 ? each : averaged(each, batch, views)
  const target = input('target', [])
  const value: unknown = explained(inputs, fields, () => loss(output as never, target as never))
  expectTensor(value, 'session[loss]')
  if (value.dtype !== 'f32' || value.rank !== 0) {
    throw new ShapeError(`session[loss]: expected an f32 scalar, got ${value.dtype}${formatShape(value.shape)}`)
  }
  return { output, loss: value, target }
}

/** Labels as bytes become numbers from 0 to 1 as images do: a loss then refuses an f32 that nobody gave. */
function explained(inputs: Inputs, fields: Fields, loss: () => Tensor): Tensor {
  try {
    return loss()
  } catch (error) {
    if (!(error instanceof ShapeError) || fields['target']?.dtype !== 'u8' || inputs['target'] !== undefined)
      throw error
    const remedy = "give labels as an Int32Array, or inputs: { target: (t) => ops.cast(t, 'i32') }"
    throw new ShapeError(`${error.message}; the field target is u8, which is scaled to f32 from 0 to 1 (${remedy})`)
  }
}

/** [batch * views, K] logits -> [batch, K], the logarithm of the views' mean probabilities. */
function averaged(logits: Tensor, batch: number, views: number): Tensor {
  const probabilities = reshape(softmax(cast(logits, 'f32')), [batch, views, ...logits.shape.slice(1)])
  // The smallest normal number: a class that no view thinks possible has a large loss, not an infinite one.
  return log(maximum(mean(probabilities, 1), 1.18e-38))
}

/** How many rows have their largest output at the label, f32 []; undefined where output and target are no classification. */
export function correct({ output, target }: Forward): Tensor | undefined {
  return isLabelled({ output, target }) ? sum(cast(equal(argmax(output, -1), target), 'f32')) : undefined
}

/** How many rows have their label among the five largest outputs, f32 []; undefined where this is no classification. */
export function amongFive({ output, target }: Forward): Tensor | undefined {
  if (!isLabelled({ output, target })) return undefined
  const logits = cast(output, 'f32')
  const classes = logits.shape.at(-1) ?? 1
  const places = constant(
    'i32',
    [classes],
    Array.from({ length: classes }, (_, i) => i),
  )
  const own = sum(where(equal(reshape(target, [...target.shape, 1]), places), logits, 0), -1, { keepDims: true })
  // What is not known to be at most the label's output counts as above it: a NaN is never a right answer.
  const above = sum(sub(1, cast(lessEqual(logits, own), 'f32')), -1)
  return sum(cast(less(above, 5), 'f32'))
}

function isLabelled({ output, target }: Pick<Forward, 'output' | 'target'>): boolean {
  return target.dtype === 'i32' && output.rank >= 2 && sameShape(target.shape, output.shape.slice(0, -1))
}
