// Logic over conditions, u8 as comparisons give them: 0 is false, everything else true; results are 0 or 1.
import { type Shape, ShapeError, type Tensor } from '../graph/index.js'
import type { Broadcast } from './broadcast.js'
import { typeText } from './define.js'
import { equal, less, maximum, minimum } from './pointwise.js'

/** A function of two conditions, u8 of 0 and 1, which are broadcast. */
export interface Connective {
  /** Of two conditions of the same extents. */
  <S extends Shape>(a: Tensor<'u8', S>, b: Tensor<'u8', S>): Tensor<'u8', S>
  /** Of conditions whose extents are broadcast. */
  <A extends Shape, B extends Shape>(a: Tensor<'u8', A>, b: Tensor<'u8', B>): Tensor<'u8', Broadcast<A, B>>
}

function expectCondition(name: string, x: Tensor): void {
  if (x.dtype !== 'u8') throw new ShapeError(`${name}: expected a condition of u8, got ${typeText(x)}`)
}

function connective(name: string, join: (a: Tensor<'u8'>, b: Tensor<'u8'>) => Tensor): Connective {
  return (a: Tensor<'u8'>, b: Tensor<'u8'>) => {
    expectCondition(name, a)
    expectCondition(name, b)
    return less(0, join(a, b))
  }
}

/**
 * Whether both hold, as 0 or 1: u8 operands that broadcast -> u8.
 * @throws ShapeError for another dtype, and for extents that do not broadcast.
 * @example logicalAnd(less(0, x), less(x, 1))
 */
export const logicalAnd = connective('logicalAnd', (a, b) => minimum<'u8', Shape, Shape>(a, b))

/**
 * Whether one of the two holds or both, as 0 or 1: u8 operands that broadcast -> u8.
 * @throws as `logicalAnd`.
 */
export const logicalOr = connective('logicalOr', (a, b) => maximum<'u8', Shape, Shape>(a, b))

/**
 * Whether it does not hold, as 0 or 1: u8 [...] -> the same.
 * @throws ShapeError for another dtype.
 */
export function logicalNot<S extends Shape>(x: Tensor<'u8', S>): Tensor<'u8', S> {
  expectCondition('logicalNot', x)
  return equal(x, 0)
}
