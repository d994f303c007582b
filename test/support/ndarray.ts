// Dense float64 arrays for references: slow, obvious, and in higher precision than anything that is tested.
import { broadcastShapes, count, type Shape, strides } from '../../lib/graph/index.js'

export interface NDArray {
  readonly shape: Shape
  readonly data: Float64Array
}

export function ndarray(shape: Shape, data: ArrayLike<number>): NDArray {
  if (data.length !== count(shape))
    throw new Error(`expected ${count(shape)} values for [${shape.join()}], got ${data.length}`)
  return { shape, data: Float64Array.from(data) }
}

/** Every index of a shape in row-major order. */
export function indices(shape: Shape): number[][] {
  const steps = strides(shape)
  return Array.from({ length: count(shape) }, (_, position) =>
    shape.map((extent, axis) => Math.floor(position / steps[axis]!) % extent),
  )
}

/** The array whose element at each index is `element(index)`. */
export function fill(shape: Shape, element: (index: readonly number[]) => number): NDArray {
  return { shape, data: Float64Array.from(indices(shape), element) }
}

function position(shape: Shape, index: readonly number[]): number {
  let result = 0
  for (let axis = 0; axis < shape.length; axis++) result = result * shape[axis]! + index[axis]!
  return result
}

export function isInside(x: NDArray, ...index: readonly number[]): boolean {
  return index.length === x.shape.length && index.every((i, axis) => i >= 0 && i < x.shape[axis]!)
}

/** The element at an index; 0 outside the array, as padding reads. */
export function at(x: NDArray, ...index: readonly number[]): number {
  return isInside(x, ...index) ? x.data[position(x.shape, index)]! : 0
}

/** Adds to one element, for references that scatter. */
export function addAt(x: NDArray, value: number, ...index: readonly number[]): void {
  x.data[position(x.shape, index)]! += value
}

/** The element that broadcasting puts at `index` of a larger array. */
export function broadcastAt(x: NDArray, index: readonly number[]): number {
  const own = x.shape.map((extent, axis) => (extent === 1 ? 0 : index[index.length - x.shape.length + axis]!))
  return x.data[position(x.shape, own)]!
}

/** Applies a scalar formula to broadcast operands. */
export function elementwise(formula: (...x: number[]) => number, ...inputs: readonly NDArray[]): NDArray {
  const shape = broadcastShapes(...inputs.map((input) => input.shape))
  if (shape === undefined) throw new Error('expected shapes that broadcast')
  return fill(shape, (index) => formula(...inputs.map((input) => broadcastAt(input, index))))
}

/** Sum of products of all elements. */
export function dot(a: NDArray, b: NDArray): number {
  return a.data.reduce((sum, value, i) => sum + value * b.data[i]!, 0)
}
