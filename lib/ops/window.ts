// Geometry that convolution and pooling share: options as people write them, and how many windows fit.
import { expectThat } from './define.js'

/** Both axes alike, or [height, width]. */
export type Pair = number | readonly [number, number]
/** All sides alike, [height, width], or [top, left, bottom, right]. */
export type Padding = number | readonly [number, number] | readonly [number, number, number, number]

export function pairOf(value: Pair): [number, number] {
  return typeof value === 'number' ? [value, value] : [...value]
}

/** [top, left, bottom, right] */
export function paddingOf(value: Padding): [number, number, number, number] {
  if (typeof value === 'number') return [value, value, value, value]
  const [top, left, bottom = top, right = left] = value
  return [top, left, bottom, right]
}

/**
 * What `after` becomes for windows that may reach beyond the end, as Caffe and PyTorch (`ceil_mode`) count them: as many as
 * touch an element, but none that starts beyond x and the padding before it. Windows that fit none stay as they are.
 */
export function ceilPadding(extent: number, window: number, stride: number, before: number, after: number): number {
  const steps = Math.ceil((extent + before + after - window) / stride)
  if (!(steps >= 0)) return after
  const last = steps * stride >= extent + before ? steps - 1 : steps
  return Math.max(after, last * stride + window - extent - before)
}

/** Windows of `window` elements that fit `extent` padded elements at this stride. */
export function windowCount(extent: number, window: number, stride: number): number {
  expectThat(window <= extent, `a window of at most ${extent} (the padded extent)`, window.toString())
  return Math.floor((extent - window) / stride) + 1
}
