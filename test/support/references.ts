// The float64 reference of every op, collected from the cases.
import { keepF32Op, parameterGradientOp, stopGradientOp } from '../../lib/ops/marker.js'
import { cases } from '../ops/cases.js'
import type { Reference } from './op-case.js'

let known: Map<string, Reference> | undefined

/** References by op name; markers are the identity. */
export function references(): ReadonlyMap<string, Reference> {
  if (known === undefined) {
    known = new Map([stopGradientOp, parameterGradientOp, keepF32Op].map(({ name }) => [name, (inputs) => inputs]))
    for (const { name, reference } of cases) if (reference !== undefined) known.set(name, reference)
  }
  return known
}
