// What is learned, traced: the fields of a batch -> a loss, and measures beside it, as graph. The only place that knows how an
// objective is called, and that `(net, loss)` is short for one of the fields `x` and `target`.
import { is, nearest, OstrichError } from '../base/index.js'
import { batched, DataError, type Fields } from '../data/index.js'
import { expectTensor, feed, ShapeError, type Tensor } from '../graph/index.js'
import { cast, div, log, maximum, mean, reshape, softmax } from '../ops/index.js'
import { withFreshStreams } from '../ops/streams.js'
import { expectMeasure, expectScalar, isTensor, type Measure, type Pair } from './measure.js'
import { accuracy, isLabelled, type OfLogits } from './measures.js'
import type { Inputs, Loss, Network, Objective, OverTime } from './types.js'

/** What is trained and measured, and how fields become what it takes. */
export interface Task {
  readonly objective: Objective
  readonly inputs: Inputs
  readonly overTime?: OverTime | undefined
}

/** An objective in a graph. */
export interface Traced {
  /** Mean over the batch, f32 []. */
  readonly loss: Tensor<'f32'>
  /** What that is the mean of; undefined where it is over all examples of the batch, or all its tokens. */
  readonly pair: Pair | undefined
  readonly measures: Readonly<Record<string, Measure>>
  /** The fields that were read. */
  readonly read: ReadonlySet<string>
}

/** Of the short form: a measure, or what makes one of the network's output and the target. */
export type Measured = Measure | OfLogits

/** Objectives that average the views of an example themselves. */
const averaging = new WeakSet<Objective>()

/**
 * The objective of a network, a loss, and measures of the network's output.
 * @param measures by name. Default: accuracy, which is NaN where output and target are no classification
 */
export function supervised(net: Network, loss: Loss, measures?: Readonly<Record<string, Measured>>): Objective {
  const objective: Objective = (fields, views) => {
    const x = fields['x']!
    const each: unknown = net(x)
    expectTensor(each, 'session[net]')
    const output = views === 1 ? each : averaged(each, views)
    const target = fields['target']!
    const value: unknown = loss(output, target)
    expectTensor(value, 'session[loss]')
    expectScalar('session[loss]', value)
    const made = Object.entries(measures ?? usual(output, target)).map(([name, measure]): [string, Measure] => [
      name,
      typeof measure === 'function' ? measure(output, target) : measure,
    ])
    return { ...Object.fromEntries(made), loss: value }
  }
  averaging.add(objective)
  return objective
}

function usual(output: Tensor, target: Tensor): Readonly<Record<string, Measured>> {
  const { better, format } = accuracy
  return { accuracy: isLabelled(output, target) ? accuracy : { better, format, ofLoss: () => NaN } }
}

/** [batch * views, K] logits -> [batch, K], the logarithm of the views' mean probabilities. */
function averaged(logits: Tensor, views: number): Tensor {
  const [rows = 1, ...classes] = logits.shape
  const probabilities = reshape(softmax(cast(logits, 'f32')), [rows / views, views, ...classes])
  // The smallest normal number: a class that no view thinks possible has a large loss, not an infinite one.
  return log(maximum(mean(probabilities, 1), 1.18e-38))
}

/** A field of a batch as objectives take it. */
export function prepared(inputs: Inputs, name: string, raw: Tensor): Tensor {
  const own = inputs[name]
  if (own !== undefined) return own(raw)
  return raw.dtype === 'u8' ? div(cast(raw, 'f32'), 255) : raw
}

/**
 * Traces an objective over a batch of `batch` examples, with so many `views` of each in the first extent of `x`. A field is a feed
 * once it is read.
 * @throws OstrichError `ERR_OPTION` for what is no `{ loss, ...measures }`; ShapeError; GraphError for a field that is not there
 */
export function traced({ objective, inputs }: Task, fields: Fields, batch: number, views = 1): Traced {
  if (views > 1 && !averaging.has(objective)) {
    throw new DataError(`session[data]: expected one view of each example, as the objective takes fields, got ${views}`)
  }
  const tensors = new Map<string, Tensor>()
  const raw = (name: string): Tensor => {
    const spec = fields[name]!
    const declared = feed(name, spec.dtype, batched(spec, batch))
    return name === 'x' && views > 1 ? reshape(declared, [batch * views, ...spec.shape.slice(1)]) : declared
  }
  const read = (name: string): Tensor => {
    const known = tensors.get(name)
    if (known !== undefined) return known
    const tensor = prepared(inputs, name, raw(name))
    tensors.set(name, tensor)
    return tensor
  }
  const call = (): unknown => explained(inputs, fields, tensors, () => objective(reading(fields, read), views))
  const outcome = 'fresh' in fields ? withFreshStreams(cast(read('fresh'), 'f32'), call) : call()
  return { ...judged(outcome), read: new Set(tensors.keys()) }
}

/** The fields by name, each read when it is asked for; a name that none has is refused. */
function reading(fields: Fields, read: (name: string) => Tensor): Readonly<Record<string, Tensor>> {
  // What is listed and spread are the names; each tensor is made when it is asked for.
  const names: Record<string, unknown> = { ...fields }
  return new Proxy(names as Record<string, Tensor>, {
    get(_, name) {
      if (typeof name !== 'string') return undefined
      if (Object.hasOwn(fields, name)) return read(name)
      const names = Object.keys(fields)
      const guess = nearest(name, names)
      const hint = guess === undefined ? '' : ` (did you mean ${guess}?)`
      throw new DataError(`session[data]: expected a field ${name}, got ${names.join(', ')}${hint}`)
    },
  })
}

/** What an objective gave. */
function judged(outcome: unknown): Omit<Traced, 'read'> {
  const where = 'session[objective]'
  if (outcome instanceof Promise) outcome.catch(() => undefined)
  const able = typeof outcome === 'object' && outcome !== null
  if (!able || outcome instanceof Promise || isTensor(outcome) || !('loss' in outcome)) {
    const got = isTensor(outcome) ? 'a tensor' : is.shown(outcome)
    throw new OstrichError('ERR_OPTION', `${where}: expected { loss, ...measures }, got ${got}`)
  }
  const { loss, ...measures } = outcome
  for (const [name, measure] of Object.entries<unknown>(measures)) expectMeasure(`${where}[${name}]`, measure)
  if (isTensor(loss)) {
    expectScalar(`${where}[loss]`, loss)
    return { loss, pair: undefined, measures: measures }
  }
  const pair = pairOf(`${where}[loss]`, loss)
  return { loss: div(pair.sum, pair.count), pair, measures: measures }
}

function pairOf(where: string, given: unknown): Pair {
  const { sum, count } = (typeof given === 'object' && given !== null ? given : {}) as Partial<Pair>
  if (!isTensor(sum) || !(isTensor(count) || typeof count === 'number')) {
    const expected = 'an f32 scalar, or { sum, count } of f32 scalars'
    throw new OstrichError('ERR_OPTION', `${where}: expected ${expected}, got ${is.shown(given)}`)
  }
  expectScalar(`${where}.sum`, sum)
  if (isTensor(count)) expectScalar(`${where}.count`, count)
  return { sum, count }
}

/** Bytes become numbers from 0 to 1, as images do; where a loss refuses them as labels, says so. */
function explained(inputs: Inputs, fields: Fields, read: ReadonlyMap<string, Tensor>, call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    const bytes = [...read.keys()].find(
      (name) => name !== 'x' && fields[name]?.dtype === 'u8' && inputs[name] === undefined,
    )
    if (!(error instanceof ShapeError) || bytes === undefined) throw error
    const remedy = `give labels as an Int32Array, or inputs: { ${bytes}: (t) => ops.cast(t, 'i32') }`
    throw new ShapeError(`${error.message}; the field ${bytes} is u8, which is scaled to f32 from 0 to 1 (${remedy})`)
  }
}
