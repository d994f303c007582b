// What the recurrent ops have in common: extents of a sequence [T, N, ...], its mask, and the states before each step.
import { is, type Schema } from '../base/index.js'
import { count, type DType, type Shape, type Tensor, type TensorType } from '../graph/index.js'
import { reshape } from './axes.js'
import { expectDType, expectFloat, expectRank, expectShape, expectThat } from './define.js'
import { matmul } from './matmul.js'
import { aTensor } from './operand.js'
import { concat, slice } from './reshape.js'

/** Which steps there are, and in which order. */
export interface SequenceOptions {
  /** From the last step to the first. Default: false. */
  readonly reverse?: boolean
  /** u8 [T, N]: where it is 0, a stream has no such step and its state stays as it is. Default: every step is there. */
  readonly mask?: Tensor<'u8'>
}

/** The kinds of the options of every recurrent op. */
export const sequenceOptions: Schema<SequenceOptions> = { reverse: is.flag, mask: aTensor }

/** T steps of N streams of H units. */
export interface Extents {
  readonly steps: number
  readonly streams: number
  readonly units: number
}

/** Checks a float sequence [T, N, parts * H] beside its weights [H, parts * H] of the same dtype. */
export function sequenceExtents(sequence: TensorType, what: string, w: TensorType, parts: number): Extents {
  expectFloat(sequence, what)
  expectRank(sequence, 3, what)
  expectThat(w.dtype === sequence.dtype, `${what} and w of one dtype`, `${sequence.dtype} and ${w.dtype}`)
  expectRank(w, 2, 'w')
  const [units = 1] = w.shape
  expectShape(w, [units, parts * units], 'w of shape')
  const [steps = 1, streams = 1] = sequence.shape
  return { steps, streams, units }
}

/** Checks that a tensor has one value for each step, stream and unit, `parts` times. */
export function expectSteps(type: TensorType, { steps, streams, units }: Extents, parts: number, what: string): void {
  expectShape(type, [steps, streams, parts * units], `${what} of shape`)
}

/** Checks a state [N, H] of this dtype. */
export function expectState(
  type: TensorType,
  { streams, units }: Extents,
  dtype: TensorType['dtype'],
  what: string,
): void {
  expectDType(type, [dtype], what)
  expectShape(type, [streams, units], `${what} of shape`)
}

/** Checks a mask u8 [T, N], where there is one. */
export function expectMask(type: TensorType | undefined, { steps, streams }: Extents): void {
  if (type === undefined) return
  expectDType(type, ['u8'], 'a mask')
  expectShape(type, [steps, streams], 'a mask of shape')
}

/** The state that each step starts from: `first` [N, H], then those of [T, N, H] but the last. */
export function statesBefore(states: Tensor, first: Tensor, reverse: boolean): Tensor {
  const [steps = 1, ...rest] = states.shape
  const start = reshape(first, [1, ...rest])
  if (steps === 1) return start
  const others = slice(states, [reverse ? 1 : 0, ...rest.map(() => 0)], [steps - 1, ...rest])
  return concat(reverse ? [others, start] : [start, others], 0)
}

/** The gradient of w [H, K] of h w, from all h [T, N, H] and all gradients of the product [T, N, K]: one product. */
export function weightGradient(before: Tensor, products: Tensor): Tensor {
  return matmul<DType, Shape, Shape, true>(rows(before), rows(products), { transposeA: true })
}

/** [T, N, K] -> [T * N, K] */
export function rows(x: Tensor): Tensor {
  return reshape(x, [count(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1])
}
