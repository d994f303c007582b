// Extents of tensors: plain arrays of non-negative integers, row-major.

/** Extents of a tensor, outermost first; `[]` is a scalar. Extents known when compiled are literal types. */
export type Shape = readonly number[]

/** Number of elements of a tensor with these extents. */
export function count(shape: Shape): number {
  let n = 1
  for (const extent of shape) n *= extent
  return n
}

/** Row-major strides in elements. */
export function strides(shape: Shape): number[] {
  const result = new Array<number>(shape.length)
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    result[axis] = step
    step *= shape[axis] ?? 1
  }
  return result
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis])
}

/** NumPy's broadcasting rule over any number of shapes; undefined where they do not agree. */
export function broadcastShapes(...shapes: readonly Shape[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length))
  const result = new Array<number>(rank).fill(1)
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const axis = rank - shape.length + i
      const extent = shape[i] ?? 1
      if (extent === 1 || extent === result[axis]) continue
      if (result[axis] !== 1) return undefined
      result[axis] = extent
    }
  }
  return result
}

/** Writes a shape as in messages: `[128, 784]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`
}
