// What networks that predict frames have in common: what they take and give, and images as patches.
import { expectOptions } from '../base/index.js'
import { formatShape, ShapeError, type Tensor } from '../graph/index.js'
import type * as nn from '../nn/index.js'
import { concat, reshape, slice, transpose } from '../ops/index.js'
import { aTensor } from '../ops/operand.js'

/** Frames over time, f32 [T, N, channels, height, width]. */
export type Film = Tensor<'f32', [number, number, number, number, number]>

/** What a call may say besides the frames that are seen. */
export interface ForecastCall {
  /** The frames that follow, f32 [future, N, channels, height, width], for what is fed with them in training. */
  readonly target?: Tensor<'f32'>
}

/** All that a network makes of frames. */
export interface Forecast {
  /** Logits of the frames that follow, f32 [future, N, channels, height, width]: a pixel is sigmoid of its logit. */
  readonly output: Film
  /** Of a network that reconstructs what it saw: logits of those frames, in their own order. */
  readonly past?: Film
  /** Of a network that predicts the frame after each one that it sees: logits of those frames, from the second on. */
  readonly next?: Film
}

/** A network that sees frames and predicts those that follow: pixels from 0 to 1 -> logits. */
export interface Forecaster extends nn.Layer<Film, Film> {
  /** As the function, with all that comes of it. @throws OstrichError `ERR_OPTION`; ShapeError for a target of other extents */
  readonly run: (x: Tensor<'f32'>, call?: ForecastCall) => Forecast
}

/** Refuses what no call may say. */
export function expectForecastCall(name: string): (call: ForecastCall) => void {
  return (call) => {
    expectOptions<ForecastCall>(`${name}[run]`, call, { target: aTensor })
  }
}

/** @throws ShapeError for what is not f32 of these extents; a name stands for any extent */
export function expectFilm(where: string, x: Tensor, wanted: readonly (number | string)[]): asserts x is Film {
  const fits = x.rank === wanted.length && wanted.every((one, i) => typeof one === 'string' || one === x.shape[i])
  if (x.dtype === 'f32' && fits) return
  throw new ShapeError(`${where}: expected f32[${wanted.join(', ')}], got ${x.dtype}${formatShape(x.shape)}`)
}

/** Frames as patches, [T, N, C patch^2, H / patch, W / patch]. @throws ShapeError for other channels, and sides that are no multiples */
export function filmOfPatches(where: string, x: Tensor, channels: number, patch: number): Film {
  expectFilm(where, x, ['T', 'N', channels, 'height', 'width'])
  const [steps, rows, , height, width] = x.shape
  if (height % patch !== 0 || width % patch !== 0) {
    const expected = `sides that are multiples of the patch, ${patch}`
    throw new ShapeError(`${where}: expected ${expected}, got frames of ${width} x ${height}`)
  }
  const parts = patchesOf(reshape(x, [-1, channels, height, width]), patch)
  return reshape(parts, [steps, rows, channels * patch ** 2, height / patch, width / patch])
}

/** Squares of patch x patch pixels as channels: [M, C, H, W] -> [M, C patch^2, H / patch, W / patch]. */
export function patchesOf(x: Tensor<'f32'>, patch: number): Tensor<'f32'> {
  const [count = 1, channels = 1, height = 1, width = 1] = x.shape
  const [rows, columns] = [height / patch, width / patch]
  const parts = transpose(reshape(x, [count * channels, rows, patch, columns, patch]), [0, 2, 4, 1, 3])
  return reshape(parts, [count, channels * patch * patch, rows, columns])
}

/** The reverse of `patchesOf`. */
export function pixelsOf(x: Tensor<'f32'>, patch: number): Tensor<'f32'> {
  const [count = 1, parts = 1, rows = 1, columns = 1] = x.shape
  const channels = parts / patch ** 2
  const pixels = transpose(reshape(x, [count * channels, patch, patch, rows, columns]), [0, 3, 1, 4, 2])
  return reshape(pixels, [count, channels, rows * patch, columns * patch])
}

/** The reverse of `filmOfPatches`. */
export function filmOfPixels(x: Tensor<'f32'>, patch: number): Film {
  const [steps = 1, rows = 1, parts = 1, height = 1, width = 1] = x.shape
  const images = pixelsOf(reshape(x, [steps * rows, parts, height, width]), patch)
  return reshape(images, [steps, rows, parts / patch ** 2, height * patch, width * patch])
}

/** The last step first. */
export function reversed(x: Tensor<'f32'>): Tensor<'f32'> {
  const [steps = 1, ...rest] = x.shape
  const from = (t: number): Tensor<'f32'> => slice(x, [t, ...rest.map(() => 0)], [1, ...rest])
  return concat(
    Array.from({ length: steps }, (_, t) => from(steps - 1 - t)),
    0,
  )
}
