// What is learned: fields of a batch -> network -> loss, as graph. The only place that knows the fields' roles: `x` goes
// into the network, `target` beside its output into the loss.
import { argmax, cast, div, equal, sum } from '../ops/index.js'
import { feed, ShapeError, sameShape, formatShape, type Tensor } from '../graph/index.js'
import { DataError } from '../data/index.js'
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

export interface Task {
  readonly net: Network
  readonly loss: Loss
  readonly inputs: Inputs
}

export interface Forward {
  readonly output: Tensor
  readonly loss: Tensor
  readonly target: Tensor
}

/** The fields that a task takes; a data set may have others. */
export const taken = ['x', 'target'] as const

/** Checks that a data set has the two fields that a task needs. */
export function checkFieldNames(fields: Fields): void {
  for (const name of taken) {
    if (name in fields) continue
    throw new DataError(`session[data]: expected fields x and target, got ${Object.keys(fields).join(', ')}`)
  }
}

/** A field of a batch as the network takes it. */
export function prepared(inputs: Inputs, name: string, raw: Tensor): Tensor {
  const own = inputs[name]
  if (own !== undefined) return own(raw)
  return raw.dtype === 'u8' ? div(cast(raw, 'f32'), 255) : raw
}

/** Declares the feeds of a batch and emits the network and its loss. */
export function forward({ net, loss, inputs }: Task, fields: Fields, batch: number): Forward {
  const input = (name: (typeof taken)[number]): Tensor => {
    const spec = fields[name]
    if (spec === undefined) throw new DataError(`session[data]: expected a field ${name}, got none`)
    return prepared(inputs, name, feed(name, spec.dtype, [batch, ...spec.shape]))
  }
  const output = net(input('x') as never)
  const target = input('target')
  const value: Tensor = loss(output as never, target as never)
  if (value.dtype !== 'f32' || value.rank !== 0) {
    throw new ShapeError(`session[loss]: expected an f32 scalar, got ${value.dtype}${formatShape(value.shape)}`)
  }
  return { output, loss: value, target }
}

/** How many rows have their largest output at the label, f32 []; undefined where output and target are no classification. */
export function correct({ output, target }: Forward): Tensor | undefined {
  const labelled = target.dtype === 'i32' && output.rank >= 2 && sameShape(target.shape, output.shape.slice(0, -1))
  return labelled ? sum(cast(equal(argmax(output, -1), target), 'f32')) : undefined
}
